/** Days, and the periods of a chart over time, as the API names them. */

/** The length of a bar of a chart over time. */
export type Interval = "day" | "week" | "month" | "quarter" | "year";

/** A day in milliseconds. */
export const DAY_MS = 86_400_000;
/** More bars than these are too thin to read and to point at. */
const MOST_BARS = 62;
const LENGTHS: readonly { interval: Interval; days: number }[] = [
  { interval: "day", days: 1 },
  { interval: "week", days: 7 },
  { interval: "month", days: 30.4 },
  { interval: "quarter", days: 91.3 },
];

/** The shortest interval with which a span of days has no more bars than can be read. */
export function intervalFor(first: string, last: string): Interval {
  const days = (Date.parse(last) - Date.parse(first)) / DAY_MS + 1;
  return LENGTHS.find((one) => days / one.days <= MOST_BARS)?.interval ??
    "year";
}

/** A period: its name in the API, and its first and last day. */
export interface Bar {
  readonly name: string;
  readonly start_date: string;
  readonly end_date: string;
}

/** Every period from the one of `first` to the one of `last`, so that those without interactions show too. */
export function barsBetween(
  interval: Interval,
  { first, last }: { readonly first: string; readonly last: string },
): Bar[] {
  const bars: Bar[] = [];
  let start = startOf(interval, new Date(first));
  while (dayText(start.getTime()) <= last) {
    const next = nextOf(interval, start);
    bars.push({
      name: nameOf(interval, start),
      start_date: dayText(start.getTime()),
      end_date: dayText(next.getTime() - DAY_MS),
    });
    start = next;
  }
  return bars;
}

function startOf(interval: Interval, day: Date): Date {
  const year = day.getUTCFullYear();
  const month = day.getUTCMonth();
  switch (interval) {
    case "day":
      return day;
    case "week":
      return new Date(day.getTime() - (day.getUTCDay() + 6) % 7 * DAY_MS);
    case "month":
      return new Date(Date.UTC(year, month, 1));
    case "quarter":
      return new Date(Date.UTC(year, month - month % 3, 1));
    case "year":
      return new Date(Date.UTC(year, 0, 1));
  }
}

function nextOf(interval: Interval, start: Date): Date {
  const year = start.getUTCFullYear();
  const month = start.getUTCMonth();
  switch (interval) {
    case "day":
      return new Date(start.getTime() + DAY_MS);
    case "week":
      return new Date(start.getTime() + 7 * DAY_MS);
    case "month":
      return new Date(Date.UTC(year, month + 1, 1));
    case "quarter":
      return new Date(Date.UTC(year, month + 3, 1));
    case "year":
      return new Date(Date.UTC(year + 1, 0, 1));
  }
}

function nameOf(interval: Interval, start: Date): string {
  const day = dayText(start.getTime());
  switch (interval) {
    case "day":
      return day;
    case "week":
      return weekName(start);
    case "month":
      return day.slice(0, 7);
    case "quarter":
      return `${day.slice(0, 4)}-Q${start.getUTCMonth() / 3 + 1}`;
    case "year":
      return day.slice(0, 4);
  }
}

// ISO 8601: a week belongs to the year that has its Thursday.
function weekName(monday: Date): string {
  const thursday = new Date(monday.getTime() + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const day_of_year = (thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS;
  const week = Math.floor(day_of_year / 7) + 1;
  return `${year}-W${`${week}`.padStart(2, "0")}`;
}

/** The day of a time in milliseconds, in UTC, as YYYY-MM-DD. */
export function dayText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
