/** The forms that times are written in, and which of them a text fits. */

import { NAMED_FORMATS, shapeOf } from "../mapping/time_format.ts";

interface Parts {
  readonly year?: number;
  readonly month?: number;
  readonly day?: number;
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
  readonly half_day?: string;
}

/** A form of times as `format` of tally.toml names it. */
export interface TimeForm {
  readonly format: string;
  fits(text: string): boolean;
}

const CLOCK =
  /(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.\d{1,9})?)?(?: ?(?<half>[AaPp][Mm]))?/
    .source;
const CLOCK_ALONE = RegExp(`^${CLOCK}$`);
const OFFSET = /(?: ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?))?/.source;
const TAIL = `(?:,? ${CLOCK}${OFFSET})?$`;
const DAY_FIRST = RegExp(
  `^(?<a>\\d{1,2})(?<sign>[/.-])(?<b>\\d{1,2})\\k<sign>(?<year>\\d{4})${TAIL}`,
);
const YEAR_FIRST = RegExp(
  `^(?<year>\\d{4})(?<sign>[/.-])(?<month>\\d{1,2})\\k<sign>(?<day>\\d{1,2})${TAIL}`,
);
const ISO = RegExp(
  `^(?<year>\\d{4})-(?<month>\\d{2})-(?<day>\\d{2})(?:[T ](?<hour>\\d{2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:\\.\\d{1,9})?)?${OFFSET})?$`,
);
const MONTHS =
  "january february march april may june july august september october november december"
    .split(" ");

const SHORT_MONTHS = MONTHS.map((name) => name.slice(0, 3));

/** The patterns that are tried where no form with a name fits. */
const PATTERNS = [
  "%d/%m/%y",
  "%m/%d/%y",
  "%d.%m.%y",
  "%d-%m-%y",
  "%m-%d-%y",
].flatMap((day) => withClock(day)).concat(
  ["%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y"]
    .flatMap((day) => withClock(day)),
  ["%Y%m%d", "%Y%m%d%H%M%S", "%a, %d %b %Y %H:%M:%S %z"],
);

function withClock(day: string): string[] {
  return ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"]
    .map((clock) => day + clock);
}

/** The parts of a time that directives of a pattern stand for. */
const PART_OF: Readonly<Record<string, string>> = {
  Y: "year",
  y: "year",
  m: "month",
  d: "day",
  H: "hour",
  I: "hour",
  M: "minute",
  S: "second",
  b: "short_name",
  B: "name",
  p: "half",
};

/** Every form that is tried, those first that are preferred among equals. */
export const TIME_FORMS: readonly TimeForm[] = [
  named("iso", (text) => inRange(groups(ISO, text))),
  named("YMD", (text) => inRange(groups(YEAR_FIRST, text))),
  named("DMY", (text) => inRange(dayFirst(text, ["day", "month"]))),
  named("MDY", (text) => inRange(dayFirst(text, ["month", "day"]))),
  // From 2000 to 2060: smaller numbers are counts, and larger ones are ids.
  named("epoch_s", (text) => inNumbers(text, [946_684_800, 2_840_140_800])),
  named(
    "epoch_ms",
    (text) => inNumbers(text, [946_684_800_000, 2_840_140_800_000]),
  ),
  named("excel", (text) => inNumbers(text, [10_000, 70_000])),
  ...PATTERNS.map((format) => {
    const shape = partsShape(format);
    return { format, fits: (text: string) => inRange(groups(shape, text)) };
  }),
];

/** Whether a text fits the form of this name. */
export function fitsForm(
  name: typeof NAMED_FORMATS[number],
  text: string,
): boolean {
  return TIME_FORMS.some(({ format, fits }) => format === name && fits(text));
}

function named(
  format: typeof NAMED_FORMATS[number],
  fits: TimeForm["fits"],
): TimeForm {
  return { format, fits };
}

function inNumbers(text: string, [first, end]: [number, number]): boolean {
  return /^\d{5,13}(\.\d{1,9})?$/.test(text) && Number(text) >= first &&
    Number(text) < end;
}

function groups(shape: RegExp, text: string): Parts | null {
  const found = shape.exec(text)?.groups;
  if (!found) return null;
  const number = (name: string) =>
    found[name] === undefined ? undefined : Number(found[name]);
  // A load takes Sep for %b alone, and September for %B alone.
  const names = found.short_name ? SHORT_MONTHS : MONTHS;
  const name = found.short_name ?? found.name;
  const month = name === undefined
    ? number("month")
    : 1 + names.indexOf(name.toLowerCase());
  return {
    year: number("year"),
    month,
    day: number("day"),
    hour: number("hour"),
    minute: number("minute"),
    second: number("second"),
    half_day: found.half,
  };
}

function dayFirst(text: string, [a, b]: [string, string]): Parts | null {
  const parts = groups(DAY_FIRST, text);
  const found = DAY_FIRST.exec(text)?.groups;
  return parts &&
    { ...parts, [a]: Number(found!.a), [b]: Number(found!.b) };
}

function inRange(parts: Parts | null): boolean {
  if (!parts) return false;
  const { year = 2000, month = 1, day = 1, half_day } = parts;
  const { hour = 0, minute = 0, second = 0 } = parts;
  const full_year = year < 100 ? year + (year < 69 ? 2000 : 1900) : year;
  return full_year >= 1900 && full_year <= 2078 && month >= 1 && month <= 12 &&
    day >= 1 && day <= new Date(Date.UTC(full_year, month, 0)).getUTCDate() &&
    (half_day ? hour >= 1 && hour <= 12 : hour < 24) && minute < 60 &&
    second < 60;
}

function partsShape(pattern: string): RegExp {
  const shape = shapeOf(pattern, (letter, shape) => {
    // In the dates of e-mails, an offset has four digits.
    if (letter === "z") return "[+-]\\d{2}:?\\d{2}";
    const part = PART_OF[letter];
    return part ? `(?<${part}>${shape})` : shape;
  });
  return RegExp(`^${shape}$`);
}

/** Whether a text is a time of day alone. */
export function isClock(text: string): boolean {
  return inRange(groups(CLOCK_ALONE, text));
}

/** Whether a text has a time of day without an offset, so that a time zone decides. */
export function needsZone(text: string): boolean {
  return /\d:\d{2}/.test(text) && !/(?:Z|UTC|[+-]\d{2}:?\d{2})$/.test(text);
}
