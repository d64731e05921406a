/** The periods of an interval over all days that data may have, by day number and as texts. */

import type { Interval } from "../model/dimensions.ts";
import { LAST_DAY } from "./day_number.ts";

/** The periods of one interval, numbered from the one with the first day on. */
export interface Periods {
  /** By day number: the number of the period with this day. */
  readonly of_day: Uint16Array;
  /** A period by its number, as answers write it, such as 2020-03 or 2020-W09. */
  textOf(period: number): string;
}

/** How long a period is, and how it is written. */
interface Calendar {
  /** The first day of the next period, of the first day of one. */
  next(first: Date): number;
  /** The text of the period that begins on a day. */
  text(first: Date): string;
}

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(1900, 0, 1);

const DAYS: Periods = {
  of_day: Uint16Array.from({ length: LAST_DAY + 1 }, (_, day) => day),
  textOf: dateOfDay,
};

const kept = new Map<Interval, Periods>([["day", DAYS]]);

/** The periods of an interval; made once, in a few milliseconds, when they are first asked for. */
export function periodsOf(interval: Interval): Periods {
  let periods = kept.get(interval);
  if (!periods) {
    periods = makePeriods(CALENDARS[interval as LongInterval]);
    kept.set(interval, periods);
  }
  return periods;
}

/** The day of a day number, `YYYY-MM-DD`. */
export function dateOfDay(day: number): string {
  return isoDate(new Date(FIRST_MS + day * DAY_MS));
}

function makePeriods({ next, text }: Calendar): Periods {
  const of_day = new Uint16Array(LAST_DAY + 1);
  const texts: string[] = [];
  for (let day = 0; day <= LAST_DAY;) {
    const first = new Date(FIRST_MS + day * DAY_MS);
    const end = (next(first) - FIRST_MS) / DAY_MS;
    of_day.fill(texts.length, day, end);
    texts.push(text(first));
    day = end;
  }
  return { of_day, textOf: (period) => texts[period] };
}

type LongInterval = Exclude<Interval, "day">;

const CALENDARS: Readonly<Record<LongInterval, Calendar>> = {
  // 1900-01-01 is a Monday.
  week: {
    next: (first) => first.getTime() + 7 * DAY_MS,
    text(first) {
      // ISO 8601: a week is of the year that has its Thursday.
      const thursday = new Date(first.getTime() + 3 * DAY_MS);
      const year = thursday.getUTCFullYear();
      const days = (thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS;
      const week = Math.floor(days / 7) + 1;
      return `${year}-W${String(week).padStart(2, "0")}`;
    },
  },
  month: {
    next: (first) => monthsLater(first, 1),
    text: (first) => isoDate(first).slice(0, 7),
  },
  quarter: {
    next: (first) => monthsLater(first, 3),
    text: (first) =>
      `${first.getUTCFullYear()}-Q${first.getUTCMonth() / 3 + 1}`,
  },
  year: {
    next: (first) => monthsLater(first, 12),
    text: (first) => isoDate(first).slice(0, 4),
  },
};

function monthsLater(first: Date, months: number): number {
  return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + months, 1);
}

function isoDate(date: Date): string {
  return date.toISOString().slice(0, 10);
}
