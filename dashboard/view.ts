/** What the page shows, as one value, and as the query string by which it is shared. */

import { listElement, splitElements } from "../db/model/comma_list.ts";
import { DAY_MS, dayText } from "./calendar.ts";

/** The period that is counted. */
export type Period =
  /** All days of the data. */
  | { readonly of: "all" }
  /** Days or months that end with the newest day of the data. */
  | { readonly of: "last"; readonly length: LastLength }
  | { readonly of: "year"; readonly year: number }
  /** Both days included; a missing one is open. */
  | {
    readonly of: "days";
    readonly start_date: string | null;
    readonly end_date: string | null;
  };

/** The lengths of periods that end with the newest day of the data. */
export const LAST_LENGTHS = ["30d", "90d", "12m"] as const;

type LastLength = typeof LAST_LENGTHS[number];

/** The first and the last day of the data, as YYYY-MM-DD. */
export interface Range {
  readonly first: string;
  readonly last: string;
}

/** The days of the data. */
export interface DataDays extends Range {
  /** The last one that is not in the future; the last of all where every one is. */
  readonly newest: string;
}

/** What is shown. */
export interface View {
  readonly period: Period;
  /** The names that count, by dimension; null stands for no name. A dimension without names is not here. */
  readonly filters: Readonly<Record<string, readonly Name[]>>;
  /** The order of the list of customers, as the API has it, such as `-total`. */
  readonly sort: string;
  /** The customer who is looked up, by the id as text. */
  readonly customer: string | null;
}

/** A name of a dimension; null stands for no name. */
export type Name = string | null;

const DEFAULT_SORT = "-total";

/** All of the data. */
export const WHOLE: View = {
  period: { of: "all" },
  filters: {},
  sort: DEFAULT_SORT,
  customer: null,
};

/** How many days have the two lengths that are days. */
const DAYS = { "30d": 30, "90d": 90 } as const;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** Reads a query string; what it does not understand is left out, so that an old link still opens. Which filters there are, the data says. */
export function parseView(search: string): View {
  const given = new URLSearchParams(search);
  const filters: Record<string, Name[]> = {};
  for (const [name, text] of given) {
    if (OWN.has(name) || !/^[a-z][a-z0-9_]*$/.test(name)) continue;
    const names = splitElements(text);
    if (names) filters[name] = names.map((one) => one === "null" ? null : one);
  }
  return {
    period: parsePeriod(given),
    filters,
    sort: given.get("sort") || DEFAULT_SORT,
    customer: given.get("customer") || null,
  };
}

const OWN = new Set(["period", "start_date", "end_date", "sort", "customer"]);

function parsePeriod(given: URLSearchParams): Period {
  const text = given.get("period") ?? "";
  const length = LAST_LENGTHS.find((length) => length === text);
  if (length) return { of: "last", length };
  if (/^\d{4}$/.test(text)) return { of: "year", year: Number(text) };
  const [start_date, end_date] = ["start_date", "end_date"]
    .map((name) => given.get(name))
    .map((day) => day && isDay(day) ? day : null);
  return start_date || end_date
    ? { of: "days", start_date, end_date }
    : { of: "all" };
}

function isDay(text: string): boolean {
  return DATE.test(text) && !Number.isNaN(Date.parse(text)) &&
    dayText(Date.parse(text)) === text;
}

/** The query string of a view, with `?`; the same view has the same text. */
export function viewHref(view: View): string {
  const parameters = new URLSearchParams(periodParameters(view.period));
  for (const name of Object.keys(view.filters).sort()) {
    parameters.set(name, namesText(view.filters[name]));
  }
  if (view.sort !== DEFAULT_SORT) parameters.set("sort", view.sort);
  if (view.customer !== null) parameters.set("customer", view.customer);
  return `?${parameters}`;
}

function periodParameters(period: Period): Record<string, string> {
  switch (period.of) {
    case "all":
      return {};
    case "last":
      return { period: period.length };
    case "year":
      return { period: `${period.year}` };
    case "days":
      return {
        ...period.start_date && { start_date: period.start_date },
        ...period.end_date && { end_date: period.end_date },
      };
  }
}

/** Names as the API's parameters have them. */
export function namesText(names: readonly Name[]): string {
  return names.map((name) => name === null ? "null" : listElement(name))
    .join(",");
}

/** Dates as the API's parameters have them; open where they are missing. */
export interface Dates {
  readonly start_date?: string;
  readonly end_date?: string;
}

/** The dates of a period. */
export function datesOf(period: Period, range: DataDays | null): Dates {
  switch (period.of) {
    case "all":
      return {};
    case "last":
      return range === null ? {} : {
        start_date: startOfLast(period.length, range.newest),
        end_date: range.newest,
      };
    case "year": {
      const year = `${period.year}`.padStart(4, "0");
      const end_date = `${year}-12-31`;
      // A year that is not over is compared with the same days of the year before.
      const is_over = range === null || !range.newest.startsWith(year);
      return {
        start_date: `${year}-01-01`,
        end_date: is_over ? end_date : range.newest,
      };
    }
    case "days":
      return periodParameters(period);
  }
}

function startOfLast(length: LastLength, newest: string): string {
  const end = new Date(newest);
  if (length !== "12m") {
    return dayText(end.getTime() - (DAYS[length] - 1) * DAY_MS);
  }
  // The day after the newest one, a year before.
  const next = new Date(end.getTime() + DAY_MS);
  const before = Date.UTC(
    next.getUTCFullYear() - 1,
    next.getUTCMonth(),
    next.getUTCDate(),
  );
  return dayText(before);
}

/** A view in which a dimension counts only these names; none means all. */
export function withNames(
  view: View,
  { dimension, names }: {
    readonly dimension: string;
    readonly names: readonly Name[];
  },
): View {
  const { [dimension]: _, ...others } = view.filters;
  return {
    ...view,
    filters: names.length === 0 ? others : { ...others, [dimension]: names },
  };
}

/** The view after a click on a name: only this name counts, or all do when it was so already. */
export function withOnly(
  view: View,
  { dimension, name }: { readonly dimension: string; readonly name: Name },
): View {
  const { [dimension]: now } = view.filters;
  const is_only = now?.length === 1 && now[0] === name;
  return withNames(view, { dimension, names: is_only ? [] : [name] });
}

/** The years of the data up to its newest day, the latest first. */
export function yearsOf({ first, newest }: DataDays): number[] {
  const from = Number(first.slice(0, 4));
  const to = Number(newest.slice(0, 4));
  return Array.from({ length: to - from + 1 }, (_, i) => to - i);
}
