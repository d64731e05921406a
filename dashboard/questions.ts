/** The questions that a view asks of the API. */

import type { Answers } from "./answers.ts";
import { DAY_MS, type Interval, intervalFor } from "./calendar.ts";
import {
  type DataDays,
  type Dates,
  datesOf,
  namesText,
  type Period,
  type Range,
  type View,
  WHOLE,
} from "./view.ts";

/** The name of a question. */
export type Slot = keyof Answers;

/** A path of the API with its query, without a slash in front, so that it holds behind any prefix. */
export type Question = string;

/** The questions whose answers need no filter, asked before the others. */
export const FIRST = {
  data: "api/v1/data",
  dimensions: "api/v1/dimensions",
} as const satisfies Partial<Record<Slot, Question>>;

/** How many customers a page of the list has. */
export const CUSTOMERS_LISTED = 10;

/** The first and the last day that count, closed by the days of the data; null without interactions. */
export function spanOf(
  { start_date, end_date }: Dates,
  range: Range | null,
): Range | null {
  if (range === null) return null;
  const first = start_date && start_date > range.first
    ? start_date
    : range.first;
  const last = end_date && end_date < range.last ? end_date : range.last;
  return first <= last ? { first, last } : null;
}

/** The interval of the chart over time. */
function intervalOf(dates: Dates, range: Range | null): Interval {
  const span = spanOf(dates, range);
  return span ? intervalFor(span.first, span.last) : "year";
}

/** Dates that end with the data where they would go on beyond it. */
function withinData(dates: Dates, range: Range | null): Dates {
  const span = spanOf(dates, range);
  return span && dates.end_date ? { ...dates, end_date: span.last } : dates;
}

/** So much of a period may lie before the first interaction, as the first days of January do. */
const MOST_QUIET = 0.1;

/**
 * What a period is compared with; null where it is not over, or where the data has only
 * a part of the period before.
 */
function comparisonOf(
  { of }: Period,
  { dates: { start_date, end_date }, range }: {
    readonly dates: Dates;
    readonly range: DataDays | null;
  },
): "previous_period" | "previous_year" | null {
  if (!start_date || !end_date || !range || end_date > range.newest) {
    return null;
  }
  const start = new Date(start_date);
  const length_ms = Date.parse(end_date) + DAY_MS - start.getTime();
  const before = new Date(start.getTime() - length_ms);
  // The same days, of a year that may have another number of them.
  if (of === "year") before.setUTCFullYear(start.getUTCFullYear() - 1, 0, 1);
  const quiet_ms = Date.parse(range.first) - before.getTime();
  if (quiet_ms > MOST_QUIET * length_ms) return null;
  return of === "year" ? "previous_year" : "previous_period";
}

/** The questions of a view, of data with these days. */
export function questionsOf(
  view: View,
  { range, cursor = null }: {
    readonly range: DataDays | null;
    /** Of the page of the list of customers. */
    readonly cursor?: string | null;
  },
): Readonly<Partial<Record<Slot, Question>>> {
  const dates = withinData(datesOf(view.period, range), range);
  const filters: Record<string, string> = { ...dates };
  for (const [name, names] of Object.entries(view.filters)) {
    filters[name] = namesText(names);
  }
  const compare = comparisonOf(view.period, { dates, range });
  const compared: Record<string, string> = compare ? { compare } : {};
  const metrics = (parameters: Record<string, string>) =>
    withParameters("api/v1/metrics/interactions", {
      ...parameters,
      ...filters,
    });
  return {
    channels: metrics({ by: "channel", ...compared }),
    // Those reached at any time, and not all who are known.
    ...range && {
      reached: withParameters("api/v1/metrics/customers", {
        ...!dates.start_date && !dates.end_date && {
          start_date: range.first,
          end_date: range.last,
        },
        ...compared,
        ...filters,
      }),
    },
    timeline: metrics({ by: intervalOf(dates, range), pivot: "channel" }),
    types: metrics({ by: "type", pivot: "channel" }),
    topics: metrics({ by: "topic", pivot: "channel" }),
    weekdays: metrics({ by: "weekday" }),
    customers: withParameters("api/v1/interactions", {
      sort: sortOf(view),
      limit: `${CUSTOMERS_LISTED}`,
      ...cursor && { cursor },
      ...filters,
    }),
    ...view.customer !== null && customerQuestions(view.customer, range),
  };
}

/** Columns of the list of customers that are beside those of the channels. */
const BESIDE = ["customer_id", "total"];

/** A channel as the API's `sort` has it. */
export function sortName(channel: string): string {
  return BESIDE.includes(channel.toLowerCase())
    ? `channel_${channel}`
    : channel;
}

/** The order of the list of customers; a channel that does not count gives none. */
export function sortOf({ sort, filters: { channel } }: View): string {
  const names = channel?.flatMap((name) => name === null ? [] : sortName(name));
  const has_order = !names ||
    [...BESIDE, ...names].some((name) => sort === name || sort === `-${name}`);
  return has_order ? sort : WHOLE.sort;
}

function customerQuestions(id: string, range: Range | null) {
  const segment = encodeURIComponent(id);
  const whole = range ? intervalFor(range.first, range.last) : "year";
  // One customer has too few contacts for days and weeks.
  const interval = whole === "day" || whole === "week" ? "month" : whole;
  return {
    record: `api/v1/customers/${segment}`,
    contacts: `api/v1/interactions/${segment}/timeline?interval=${interval}`,
    customer_topics: `api/v1/interactions/${segment}/topics`,
  };
}

/** The parameters of a question. */
export function parametersOf(
  question: Question,
): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(question.split("?")[1]));
}

/** The question of the customers that a text finds. */
export function searchQuestion(text: string): Question {
  return withParameters("api/v1/customers", { q: text, limit: "8" });
}

/** A question with further parameters. */
export function withParameters(
  question: Question,
  parameters: Readonly<Record<string, string>>,
): Question {
  const [path, query] = question.split("?");
  const all = new URLSearchParams(query);
  for (const [name, value] of Object.entries(parameters)) all.set(name, value);
  const text = `${all}`;
  return text ? `${path}?${text}` : path;
}

/** The same question as a file; a list whole instead of one page. */
export function downloadOf(question: Question, format: string): Question {
  const [path, query] = question.split("?");
  const all = new URLSearchParams(query);
  for (const name of ["limit", "cursor"]) all.delete(name);
  all.set("format", format);
  if (format === "csv") all.set("bom", "1");
  return `${path}?${all}`;
}
