/** What the cells of a sampled column have in common: how many are filled, differ, or fit a form. */

import type { IdKind } from "../mapping/mapping.ts";
import { speaksOfTime } from "./known_headers.ts";
import type { SampledColumn } from "./sample.ts";
import { isClock, needsZone, TIME_FORMS } from "./time_forms.ts";

/** How many of the values fit a form of times. */
export interface FormShare {
  readonly format: string;
  readonly share: number;
  /** The values that fit it, and not the best form. */
  readonly beyond_best: number;
}

/** What is known of a column. */
export interface ColumnFacts {
  readonly header: string;
  /** All cells, in the order of the rows. */
  readonly cells: readonly string[];
  /** The cells with a value, in their order. */
  readonly values: readonly string[];
  readonly rows: number;
  readonly distinct: number;
  /** Whether nearly every cell has a value of its own, in each file. */
  readonly is_unique: boolean;
  /** Whether another file of interactions names its rows by the values of this one. */
  readonly is_referred: boolean;
  /** Whether most values are those of a column that is referred to. */
  readonly refers: boolean;
  readonly has_native_dates: boolean;
  /** The forms of times that most values fit, the best first; empty for what is no time. */
  readonly times: readonly FormShare[];
  /** The share of values that are a time of day alone. */
  readonly clocks: number;
  readonly has_zoneless_times: boolean;
  readonly emails: number;
  readonly phones: number;
}

const NO_VALUE =
  /^(|null|n\/?a|none|nan|<na>|\(null\)|\[null\]|\\n|\(blank\)|undefined|-+)$/i;
/** A time of day of a spreadsheet is one of its first day. */
const NATIVE_CLOCK = /^(1899-12-31|1904-01-01) /;
/** Below this share of the values, a column has not the form. */
const MOST = 0.5;
/** Below this share of the first values, no others are looked at. */
const SOME = 0.1;
const FIRST_VALUES = 200;
/** From this share of the cells on, one that is not unique may be a mistake. */
const UNIQUE = 0.9;

/** Finds out what the cells of a column have in common, in one file or in several. */
export function factsOf(...parts: readonly SampledColumn[]): ColumnFacts {
  const [{ header, has_native_dates, has_local_times }] = parts;
  const cells = parts.flatMap(({ cells }) => cells);
  const values = valuesOf(cells);
  const share = (fits: (value: string) => boolean) =>
    values.length === 0 ? 0 : values.filter(fits).length / values.length;
  const times = timesOf(header, values);
  const best = TIME_FORMS.find(({ format }) => format === times[0]?.format);
  const speaks_of_phones = /phone|mobile|tel|fax|number/i.test(header);
  return {
    header,
    cells,
    values,
    rows: cells.length,
    distinct: new Set(values).size,
    is_unique: values.length > 0 &&
      parts.every(({ cells }) =>
        new Set(valuesOf(cells)).size >= UNIQUE * cells.length
      ),
    is_referred: false,
    refers: false,
    has_native_dates,
    times,
    clocks: share((value) =>
      isClock(value) || has_native_dates && NATIVE_CLOCK.test(value)
    ),
    has_zoneless_times: has_native_dates
      ? has_local_times
      : values.some((value) => needsZone(value) && best?.fits(value)) ||
        best?.format === "excel" && values.some((value) => value.includes(".")),
    emails: share(isEmail),
    phones: times.length > 0
      ? 0
      : share((value) =>
        /^\+?[\d\s().\/-]{6,}$/.test(value) &&
        (value.match(/\d/g)?.length ?? 0) >= 6 &&
        (/^\+|^\(/.test(value) || speaks_of_phones)
      ),
  };
}

/** The cells that have a value. */
export function valuesOf(cells: readonly string[]): string[] {
  return cells.filter((cell) => !NO_VALUE.test(cell));
}

function timesOf(header: string, values: readonly string[]): FormShare[] {
  if (values.length === 0) return [];
  const first = values.slice(0, FIRST_VALUES);
  const found = TIME_FORMS.flatMap(({ format, fits }) => {
    // Plain numbers are times only where the header says so.
    const is_number = /^(epoch_|excel|%Y%m%d)/.test(format);
    if (is_number && !speaksOfTime(header)) return [];
    // Most columns are no times, and most forms are not those of the others.
    if (first.filter(fits).length < SOME * first.length) return [];
    const fitting = new Set(values.filter(fits));
    const share = values.filter((value) => fitting.has(value)).length /
      values.length;
    return share < MOST ? [] : [{ format, share, fitting }];
  }).sort((a, b) => b.share - a.share);
  return found.map(({ format, share, fitting }) => ({
    format,
    share,
    beyond_best: fitting.difference(found[0].fitting).size,
  }));
}

/**
 * The forms that may be meant. Of two that differ in the order of day and month alone, a
 * value that fits only one decides, unless another fits only the other.
 */
export function likelyForms({ times }: ColumnFacts): string[] {
  const [best] = times;
  if (!best) return [];
  const equal = times
    .filter(({ share, beyond_best }) => share === best.share || beyond_best > 0)
    .map(({ format }) => format);
  // What is ISO is YMD, too, and a pattern is only for what has no name.
  const named = equal.filter((format) => !format.includes("%"));
  if (
    named.includes("iso") &&
    best.share === times.find(({ format }) => format === "iso")!.share
  ) return ["iso"];
  return named.length > 0 ? named : equal;
}

/** Whether a value has the form of an e-mail address. */
export function isEmail(value: string): boolean {
  return /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value);
}

/** The kind of ids that values are. */
export function kindOfIds(values: readonly string[]): IdKind {
  const all = (fits: (value: string) => boolean) =>
    values.length > 0 && values.every(fits);
  if (
    all((value) =>
      /^[1-9]\d{0,15}$/.test(value) && Number.isSafeInteger(Number(value))
    )
  ) return "integer";
  const is_salesforce = all((value) =>
    /^[0-9A-Za-z]{15}$/.test(value) ||
    /^[0-9A-Za-z]{18}$/.test(value) && checksumOf(value) === value.slice(15)
  );
  return is_salesforce ? "salesforce" : "text";
}

/** The last three characters of a Salesforce id: which of those before them are capitals. */
function checksumOf(id: string): string {
  return [0, 5, 10].map((from) => {
    let bits = 0;
    for (let i = 0; i < 5; i++) if (/[A-Z]/.test(id[from + i])) bits |= 1 << i;
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits];
  }).join("");
}
