/** The charts, as SVG: the same on the server and in the browser. */

// Lengths across are shares of the width, so that a chart fits any width without a
// script, and texts keep their size. Colours come from classes, for light, dark and
// forced colours.

// @ts-types="npm:@types/d3-scale@4.0.9"
import { scaleBand, scaleLinear } from "d3-scale";
// @ts-types="npm:@types/d3-shape@3.2.0"
import { stack } from "d3-shape";
import type { Locale } from "../locale.ts";
import { foldColumns, type NumberTable, type Row } from "./number_table.ts";

/** What a chart is drawn of. */
export interface ChartProps {
  readonly table: NumberTable;
  readonly locale: Locale;
}

/** The kinds of charts. */
export const CHARTS = { columns: Columns, bars: Bars, heat: HeatMap } as const;

/** A kind of chart. */
export type ChartKind = keyof typeof CHARTS;

const COLUMNS_HEIGHT = 200;
const AXIS_HEIGHT = 24;
const TICKS = 4;
/** Labels of an axis across, on a wide and on a narrow screen. */
const LABELS = { wide: 12, narrow: 4 };
/** From here on, a label in the middle of its bar would stick out, in percent. */
const LAST_LABEL = 97;
const BAR_HEIGHT = 32;
const BAR_THICKNESS = 18;
const CELL_HEIGHT = 32;
/** Steps of colour of a heat map, beside that of zero. */
const HEAT_STEPS = 5;
/** Characters of a name that fit beside a bar, and above a cell. */
const NAME_LENGTH = 16;
const MOST_NUMBERED = 8;
/** Between a name and its column. */
const NAME_GAP = 10;
/** The width of a letter, about; some scripts have wide ones. */
const LETTER_WIDTH = 7;
const WIDE_LETTER = /[\u1100-\uffff]/g;

/** Bars that stand, stacked by column: for periods and days of the week. */
export function Columns({ table, locale }: ChartProps) {
  const { columns, rows } = foldColumns(table);
  const x = scaleBand(rows.map((_, i) => i), [0, 100]).paddingInner(0.25);
  const y = scaleLinear([0, largest(rows)], [COLUMNS_HEIGHT, 0]).nice(TICKS);
  const wide = Math.ceil(rows.length / LABELS.wide);
  // On a narrow screen some of these are left out.
  const narrow = wide * Math.ceil(rows.length / LABELS.narrow / wide);
  const layers = layersOf(rows, columns.length);
  return (
    <svg
      class="plot plot-columns"
      width="100%"
      height={COLUMNS_HEIGHT + AXIS_HEIGHT}
      aria-hidden="true"
    >
      {wholeTicks(y.ticks(TICKS)).map((tick) => (
        <>
          <line class="grid-line" x1="0" x2="100%" y1={y(tick)} y2={y(tick)} />
          <text class="axis axis-end" x="-8" y={y(tick)} dy="0.32em">
            {locale.count(tick)}
          </text>
        </>
      ))}
      {rows.map((row, i) => (
        <Mark row={i} href={row.href}>
          <rect
            class="hit"
            x={percent(x(i)! - x.step() * x.paddingInner() / 2)}
            width={percent(x.step())}
            y="0"
            height={COLUMNS_HEIGHT}
          />
          {columns.map(({ tone }, j) => {
            const [from, to] = layers[j][i];
            return from === to ? null : (
              <rect
                class={`tone-${tone}`}
                x={percent(x(i)!)}
                width={percent(x.bandwidth())}
                y={pixels(y(to))}
                height={pixels(y(from) - y(to))}
              />
            );
          })}
        </Mark>
      ))}
      {rows.map((row, i) => {
        if (i % wide !== 0) return null;
        const middle = x(i)! + x.bandwidth() / 2;
        const is_last = middle > LAST_LABEL;
        return (
          <text
            class={`axis ${is_last ? "axis-end" : "axis-middle"} ${
              i % narrow === 0 ? "" : "wide-only"
            }`}
            x={percent(is_last ? 100 : middle)}
            y={COLUMNS_HEIGHT + 18}
          >
            {row.short_label ?? row.label}
          </text>
        );
      })}
    </svg>
  );
}

/** Bars that lie, stacked by column, each with its name and its number. */
export function Bars({ table, locale }: ChartProps) {
  const { columns, rows } = foldColumns(table);
  const x = scaleLinear([0, largest(rows)], [0, 100]);
  const layers = layersOf(rows, columns.length);
  const gap = (BAR_HEIGHT - BAR_THICKNESS) / 2;
  return (
    <svg
      class="plot plot-bars"
      width="100%"
      height={rows.length * BAR_HEIGHT}
      aria-hidden="true"
    >
      {rows.map((row, i) => (
        <Mark row={i} href={row.href}>
          <rect
            class="hit"
            x="0"
            width="100%"
            y={i * BAR_HEIGHT}
            height={BAR_HEIGHT}
          />
          <text
            class="axis axis-end"
            x="-12"
            y={i * BAR_HEIGHT + BAR_HEIGHT / 2}
            dy="0.32em"
          >
            {shortened(row.label)}
          </text>
          {columns.map(({ tone }, j) => {
            const [from, to] = layers[j][i];
            return from === to ? null : (
              <rect
                class={`tone-${row.tone ?? tone}`}
                x={percent(x(from))}
                width={percent(x(to) - x(from))}
                y={i * BAR_HEIGHT + gap}
                height={BAR_THICKNESS}
              />
            );
          })}
          <text
            class="value"
            x={percent(x(row.total))}
            dx="8"
            y={i * BAR_HEIGHT + BAR_HEIGHT / 2}
            dy="0.32em"
          >
            {locale.count(row.total)}
          </text>
        </Mark>
      ))}
    </svg>
  );
}

/** A cell for each row and column, the darker the more, with its number where there is room. */
export function HeatMap({ table: { columns, rows }, locale }: ChartProps) {
  const x = scaleBand(columns.map((_, j) => j), [0, 100]);
  const most = Math.max(1, ...rows.flatMap(({ values }) => values));
  const names_fit = columns.length <= MOST_NUMBERED;
  const names = columns.map(({ label }) =>
    shortened(
      label,
      names_fit ? Math.floor(2 * NAME_LENGTH / columns.length) + 3 : undefined,
    )
  );
  // Names of narrow cells stand upright.
  const top = names_fit ? AXIS_HEIGHT : uprightHeight(names);
  return (
    <svg
      class={names_fit ? "plot plot-heat" : "plot plot-heat many"}
      width="100%"
      height={rows.length * CELL_HEIGHT + top}
      aria-hidden="true"
    >
      {names.map((name, j) => (
        // What is turned has its place in pixels, and the picture around it in percent.
        <svg
          key={columns[j].label}
          x={percent(x(j)! + x.bandwidth() / 2)}
          y={top - NAME_GAP}
          overflow="visible"
        >
          <text
            class={names_fit ? "axis axis-middle" : "axis"}
            dy={names_fit ? 0 : "0.32em"}
            transform={names_fit ? undefined : "rotate(-90)"}
          >
            {name}
          </text>
        </svg>
      ))}
      {rows.map((row, i) => (
        <>
          <text
            class="axis axis-end"
            x="-12"
            y={top + i * CELL_HEIGHT + CELL_HEIGHT / 2}
            dy="0.32em"
          >
            {shortened(row.label)}
          </text>
          {row.values.map((value, j) => {
            const step = value === 0 ? 0 : Math.ceil(HEAT_STEPS * value / most);
            return (
              <Mark row={i} column={j} href={row.href}>
                <rect
                  class={`heat-${step}`}
                  x={percent(x(j)!)}
                  width={percent(x.bandwidth())}
                  y={top + i * CELL_HEIGHT}
                  height={CELL_HEIGHT}
                />
                <text
                  class={`cell cell-${step}`}
                  x={percent(x(j)! + x.bandwidth() / 2)}
                  y={top + i * CELL_HEIGHT + CELL_HEIGHT / 2}
                  dy="0.32em"
                >
                  {locale.count(value)}
                </text>
              </Mark>
            );
          })}
        </>
      ))}
    </svg>
  );
}

/** A mark that can be pointed at, and followed where it filters. Keys reach it through its chart. */
function Mark(
  { row, column, href, children }: {
    readonly row: number;
    readonly column?: number;
    readonly href: string | null;
    // deno-lint-ignore no-explicit-any
    readonly children?: any;
  },
) {
  const data = { "data-row": row, "data-column": column };
  return href === null
    ? <g class="mark" {...data}>{children}</g>
    : <a class="mark" href={href} tabindex={-1} {...data}>{children}</a>;
}

/** The lower and upper end of each column in each row. */
function layersOf(rows: readonly Row[], columns: number) {
  return stack<Row, number>()
    .keys(Array.from({ length: columns }, (_, j) => j))
    .value(({ values }, j) => values[j])(rows);
}

function largest(rows: readonly Row[]): number {
  return Math.max(1, ...rows.map(({ total }) => total));
}

function wholeTicks(ticks: readonly number[]): number[] {
  return ticks.filter(Number.isInteger);
}

function percent(value: number): string {
  return `${Math.round(value * 1_000) / 1_000}%`;
}

function pixels(value: number): number {
  return Math.round(value * 10) / 10;
}

function uprightHeight(names: readonly string[]): number {
  const lengths = names.map((name) =>
    name.length + (name.match(WIDE_LETTER)?.length ?? 0)
  );
  return LETTER_WIDTH * Math.max(...lengths) + 2 * NAME_GAP;
}

/** A name that fits beside a bar; its end stays, in which long names differ most often. */
function shortened(name: string, length = NAME_LENGTH): string {
  if (name.length <= length) return name;
  const end = Math.floor((length - 1) / 2);
  return `${name.slice(0, length - 1 - end)}…${name.slice(name.length - end)}`;
}
