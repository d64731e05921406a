/** How dimensions are grouped by in ClickHouse, ordered and shown. */

import type {
  Dimension,
  Interval,
  TimeDimension,
} from "../model/dimensions.ts";
import type { VersionTables } from "./statement_parts.ts";
import { quoteName } from "./schema.ts";

/**
 * The number of the period of a day, which rises by one, and the text of a number. Dates
 * before 1970 have no other way: what ClickHouse rounds them to begins there.
 */
export const PERIODS: Readonly<
  Record<Interval, { of(day: string): string; text(period: string): string }>
> = {
  day: {
    of: (day) => `toInt32(${day})`,
    text: (n) => `toString(addDays(toDate32('1970-01-01'), ${n}))`,
  },
  week: {
    of: (day) => `intDiv(toInt32(${day}) + 25567, 7)`,
    text: (n) =>
      `formatDateTime(addDays(toDate32('1900-01-01'), 7 * ${n}), '%G-W%V')`,
  },
  month: {
    of: (day) => `toInt32(toYear(${day})) * 12 + toMonth(${day}) - 1`,
    text: (n) =>
      `concat(toString(intDiv(${n}, 12)), '-', leftPad(toString(${n} % 12 + 1), 2, '0'))`,
  },
  quarter: {
    of: (day) => `toInt32(toYear(${day})) * 4 + toQuarter(${day}) - 1`,
    text: (n) =>
      `concat(toString(intDiv(${n}, 4)), '-Q', toString(${n} % 4 + 1))`,
  },
  year: {
    of: (day) => `toInt32(toYear(${day}))`,
    text: (n) => `toString(${n})`,
  },
};

/** How a dimension is read from the rows to count, grouped by and shown. */
export interface Grouped {
  readonly name: Dimension;
  /** Of the rows to count. */
  readonly raw: string;
  /** The column of `raw`. */
  readonly column: string;
  /** Of the groups. */
  readonly key: string;
  /** Whether the key stands for no name. */
  readonly none?: string;
  readonly shown: string;
  /** Whether a list of names is looked up. */
  readonly has_names?: boolean;
}

/** How to group by a dimension. */
export function groupedBy(
  name: Dimension,
  { dimensions, customers, has_anonymous }: VersionTables,
): Grouped {
  const named = dimensions.find((one) => one.name === name);
  const key = `key_${name}`;
  if (named) {
    const { column } = named;
    const place = name === "channel" ? `${key} + 1` : key;
    return {
      name,
      raw: name === "topic" ? "topic_set" : column,
      column: name === "topic" ? "topic_set" : column,
      key: column,
      ...named.has_none ? { none: `${key} = 0` } : {},
      shown: `nullIf(${name}_names[${place}], '')`,
      has_names: true,
    };
  }
  if (name === "customer_id") {
    return {
      name,
      raw: "customer_id",
      column: "customer_id",
      key: "customer_id",
      ...has_anonymous ? { none: `${key} = 0` } : {},
      shown: customers.ids === "text"
        ? "nullIf(id, '')"
        : has_anonymous
        ? `nullIf(${key}, 0)`
        : key,
    };
  }
  if (name === "weekday") {
    return {
      name,
      raw: "toDayOfWeek(day)",
      column: "weekday",
      key: "weekday",
      shown: key,
    };
  }
  const period = PERIODS[name as Exclude<TimeDimension, "weekday">];
  return {
    name,
    raw: period.of("day"),
    column: `${name}_number`,
    key: `${name}_number`,
    shown: period.text(key),
  };
}

/** The columns of groups, by their keys. */
export function keysOf(groups: readonly Grouped[]): string[] {
  return groups.map(({ name, key }) => `${key} as key_${name}`);
}

/** What groups are shown as. */
export function shownOf(groups: readonly Grouped[]): string[] {
  return groups.map(({ shown, name }) => `${shown} as ${quoteName(name)}`);
}

/** The part of a statement that groups. */
export function groupBy(groups: readonly Grouped[]): string {
  return groups.length
    ? `\n  group by ${groups.map(({ name }) => `key_${name}`).join(", ")}`
    : "";
}

/** The part of a statement that has the groups in order, those without a name last. */
export function orderBy(groups: readonly Grouped[]): string {
  const order = groups.flatMap(({ name, none }) => [
    ...none === undefined ? [] : [none],
    `key_${name}`,
  ]);
  return order.length ? `\norder by ${order.join(", ")}` : "";
}

/** The lists of names that a statement looks up, before it. */
export function withNames(
  text: string,
  dimensions: readonly Dimension[],
): string {
  const lists = [...new Set(dimensions)].map((dimension) =>
    `(
  select groupArray(name)
  from (select name from names where dimension = '${dimension}' order by code)
) as ${dimension}_names`
  );
  return lists.length > 0 ? `with ${lists.join(",\n")}\n${text}` : text;
}

/** The dimensions whose names groups look up. */
export function namesUsed(groups: readonly Grouped[]): readonly Dimension[] {
  return groups.filter(({ has_names }) => has_names).map(({ name }) => name);
}
