/** The periods of an interval over all days that data may have, as texts and by day number. */

import type { Interval } from "../model/dimensions.ts";
import { LAST_DAY } from "./day_number.ts";

/** The periods of one interval, numbered from the one with the first day on. */
export interface Periods {
  /** By day number: the number of the period with this day. */
  readonly of_day: Uint16Array;
  /** By number: the period as answers write it, such as 2020-03 or 2020-W09. */
  readonly texts: readonly string[];
}

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(1900, 0, 1);

const kept = new Map<Interval, Periods>();

/** The periods of an interval; made once, in some 20 ms, when they are first asked for. */
export function periodsOf(interval: Interval): Periods {
  const periods = kept.get(interval) ?? makePeriods(interval);
  kept.set(interval, periods);
  return periods;
}

function makePeriods(interval: Interval): Periods {
  const of_day = new Uint16Array(LAST_DAY + 1);
  const texts: string[] = [];
  for (let day = 0; day <= LAST_DAY; day++) {
    const text = TEXTS[interval](new Date(FIRST_MS + day * DAY_MS));
    if (text !== texts.at(-1)) texts.push(text);
    of_day[day] = texts.length - 1;
  }
  return { of_day, texts };
}

const isoDate = (date: Date) => date.toISOString().slice(0, 10);

const TEXTS: Readonly<Record<Interval, (date: Date) => string>> = {
  day: isoDate,
  week(date) {
    // ISO 8601: a week begins on Monday and is of the year that has its Thursday.
    const weekday = (date.getUTCDay() + 6) % 7;
    const thursday = new Date(date.getTime() + (3 - weekday) * DAY_MS);
    const year = thursday.getUTCFullYear();
    const days = (thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS;
    const week = Math.floor(days / 7) + 1;
    return `${year}-W${String(week).padStart(2, "0")}`;
  },
  month: (date) => isoDate(date).slice(0, 7),
  quarter: (date) =>
    `${date.getUTCFullYear()}-Q${Math.floor(date.getUTCMonth() / 3) + 1}`,
  year: (date) => isoDate(date).slice(0, 4),
};

/** The day of a day number, `YYYY-MM-DD`. */
export function dateOfDay(day: number): string {
  return periodsOf("day").texts[day];
}
