/** Reads a chart out, point by point: under the pointer, or by arrow keys. */

/// <reference lib="dom" />

import type { Card } from "../cards.ts";
import { pointText } from "../charts/number_table.ts";
import type { Locale } from "../locale.ts";

/** A point of a chart. */
interface Point {
  readonly row: number;
  /** Only in a heat map. */
  readonly column?: number | undefined;
}

const AHEAD: Readonly<Record<string, number>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

/** Shows a point of a chart in its line, and marks it. */
export function readPoint(
  chart: HTMLElement,
  { card, point, locale }: {
    readonly card: Card;
    readonly point: Point;
    readonly locale: Locale;
  },
): void {
  forgetPoint(chart);
  markOf(chart, point)?.classList.add("is-read");
  lineOf(chart).textContent = pointText(card.drawn, { ...point, locale });
}

/** Takes the mark back. */
export function forgetPoint(chart: HTMLElement): void {
  for (const mark of chart.querySelectorAll(".is-read")) {
    mark.classList.remove("is-read");
  }
  lineOf(chart).textContent = "";
}

/** The point of a mark. */
export function pointOf(mark: SVGElement): Point {
  const { row, column } = mark.dataset;
  return {
    row: Number(row),
    column: column === undefined ? undefined : Number(column),
  };
}

/** The point that a key goes to; null where the key does not read. */
export function pointAfter(
  chart: HTMLElement,
  { key, card }: { readonly key: string; readonly card: Card },
): Point | null {
  const { rows, columns } = card.drawn;
  const is_grid = card.kind === "heat";
  const now = chart.querySelector<SVGElement>(".is-read");
  const last: Point = {
    row: rows.length - 1,
    column: is_grid ? columns.length - 1 : undefined,
  };
  const first: Point = { row: 0, column: is_grid ? 0 : undefined };
  if (key === "Home") return first;
  if (key === "End") return last;
  const step = AHEAD[key];
  if (step === undefined) return null;
  if (!now) return step > 0 ? first : last;
  const { row, column } = pointOf(now);
  const is_across = key === "ArrowLeft" || key === "ArrowRight";
  return is_grid && is_across
    ? { row, column: within(column! + step, columns.length) }
    : { row: within(row + step, rows.length), column };
}

/** The view to which the point that is read leads, if any. */
export function hrefOfPoint(chart: HTMLElement): string | null {
  return chart.querySelector("a.is-read")?.getAttribute("href") ?? null;
}

function markOf(chart: HTMLElement, { row, column }: Point): Element | null {
  const of = column === undefined ? "" : `[data-column="${column}"]`;
  return chart.querySelector(`.mark[data-row="${row}"]${of}`);
}

function lineOf(chart: HTMLElement): HTMLElement {
  return chart.parentElement!.querySelector<HTMLElement>(".readout")!;
}

function within(index: number, length: number): number {
  return Math.min(Math.max(index, 0), length - 1);
}
