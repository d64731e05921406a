/** Numbers, shares and dates as the reader writes them. */

import { DAY_MS, type Interval } from "./calendar.ts";

/** Writes for one locale. */
export interface Locale {
  readonly tag: string;
  count(value: number): string;
  /** A number of things: `1 row`, `2 rows`. */
  counted(value: number, thing: string): string;
  /** A number with at most two digits after the point. */
  ratio(value: number): string;
  /** A change as a share, with its sign: 0.25 is `+25%`. */
  change(share: number): string;
  /** A share of a whole: 0.25 is `25%`. */
  share(share: number): string;
  bytes(value: number): string;
  /** A day, as YYYY-MM-DD. */
  day(day: string): string;
  /** The first and last day of a period. */
  days(first: string, last: string): string;
  /** A moment, as ISO 8601. */
  moment(moment: string): string;
  /** A time ago, in seconds. */
  ago(seconds: number): string;
  /** A period by its first day, as an axis has it (short) or as a text has it. */
  period(
    start_date: string,
    options: { readonly interval: Interval; readonly is_short?: boolean },
  ): string;
  /** A day of the week, 1 (Monday) to 7. */
  weekday(day: number, options?: { readonly is_short: boolean }): string;
}

/** Days as the data has them; some languages prefer another calendar. */
const DAYS = { timeZone: "UTC", calendar: "gregory" } as const;
const NARROW_SPACE = "\u202f";
const A_MONDAY = Date.UTC(2024, 0, 1);
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;
const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** A locale by the tags that a reader prefers, the most preferred first; English where none is known. */
export function localeOf(tags: readonly string[]): Locale {
  const tag = tags.find(isTag) ?? "en";
  const count = new Intl.NumberFormat(tag);
  const ratio = new Intl.NumberFormat(tag, { maximumFractionDigits: 2 });
  const change = new Intl.NumberFormat(tag, {
    style: "percent",
    signDisplay: "exceptZero",
    maximumFractionDigits: 1,
  });
  const percent = new Intl.NumberFormat(tag, { style: "percent" });
  const day = new Intl.DateTimeFormat(tag, { ...DAYS, dateStyle: "medium" });
  const moment = new Intl.DateTimeFormat(tag, {
    ...DAYS,
    dateStyle: "medium",
    timeStyle: "short",
  });
  const ago = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
  const short_day = format({ day: "numeric", month: "short" });
  const month = format({ month: "long", year: "numeric" });
  const short_month = format({ month: "short", year: "numeric" });
  const weekday = format({ weekday: "long" });
  const short_weekday = format({ weekday: "short" });

  function format(options: Intl.DateTimeFormatOptions) {
    return new Intl.DateTimeFormat(tag, { ...DAYS, ...options });
  }

  return {
    tag,
    count: (value) => count.format(value),
    counted: (value, thing) =>
      `${count.format(value)} ${value === 1 ? thing : `${thing}s`}`,
    ratio: (value) => ratio.format(value),
    change: (share) => change.format(share),
    share: (share) => percent.format(share),
    bytes(value) {
      let size = value;
      let unit = 0;
      while (size >= 1_000 && unit < SIZES.length - 1) {
        size /= 1_000;
        unit++;
      }
      return new Intl.NumberFormat(tag, {
        style: "unit",
        unit: SIZES[unit],
        unitDisplay: unit === 0 ? "long" : "short",
        maximumSignificantDigits: 3,
      }).format(size);
    },
    day: (text) => day.format(new Date(text)),
    days: (first, last) => day.formatRange(new Date(first), new Date(last)),
    moment: (text) => `${moment.format(new Date(text))}${NARROW_SPACE}UTC`,
    ago(seconds) {
      const found = UNITS.find(([, length]) => seconds >= length);
      if (!found) return ago.format(0, "second");
      const [unit, length] = found;
      return ago.format(-Math.floor(seconds / length), unit);
    },
    period(start_date, { interval, is_short = false }) {
      const start = new Date(start_date);
      switch (interval) {
        case "day":
          return is_short ? short_day.format(start) : day.format(start);
        case "week":
          return is_short
            ? short_day.format(start)
            : `week of ${day.format(start)}`;
        case "month":
          return (is_short ? short_month : month).format(start);
        case "quarter":
          return `Q${start.getUTCMonth() / 3 + 1} ${start_date.slice(0, 4)}`;
        case "year":
          return start_date.slice(0, 4);
      }
    },
    weekday: (number, { is_short } = { is_short: false }) =>
      (is_short ? short_weekday : weekday)
        .format(new Date(A_MONDAY + (number - 1) * DAY_MS)),
  };
}

function isTag(tag: string): boolean {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}
