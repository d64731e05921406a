/** Statements about what records say of customers: those of sql/ that repeat a part for each dimension of customers. */

import {
  type Dimension,
  isAttribute,
  type NamedDimension,
  ofCustomers,
  recordOf,
} from "../model/dimensions.ts";
import { type ComposedSql, readSql } from "./database.ts";

/** A part that is repeated, what stands between two of them, and of which dimensions. */
const REPEATED = /\/\*(each|record|attribute|by)(?: \[(.*?)\])? ([^]*?)\*\//g;

/** What a statement repeats its parts for. */
export interface Repeated {
  readonly dimensions: readonly NamedDimension[];
  /** Those that it groups by. */
  readonly by?: readonly Dimension[];
}

/**
 * The text with its parts in comments repeated: `each` in the order of answers,
 * `record` in that of the columns of records, `attribute` for those that tally.toml
 * names, `by` as it is grouped.
 */
export function repeated(
  text: string,
  { dimensions, by = [] }: Repeated,
): string {
  const lists: Readonly<Record<string, readonly NamedDimension[]>> = {
    each: ofCustomers(dimensions),
    record: recordOf(dimensions),
    attribute: dimensions.filter(isAttribute),
    by: by.map((name) => dimensions.find((one) => one.name === name)!),
  };
  return text.replaceAll(
    REPEATED,
    (...[, list, between = "", part]: string[]) =>
      lists[list].map((dimension, i) =>
        filledIn(part.trimEnd(), dimension)
          .replaceAll("{position}", String(i + 1))
      )
        .join(`${between}\n    `),
  );
}

/** The statement of `sql/{name}.sql` with its parts repeated. */
export async function composedSql(
  name: string,
  dimensions: readonly NamedDimension[],
): Promise<ComposedSql> {
  return { sql: repeated(await readSql(name), { dimensions }) };
}

/** The names of a dimension as texts: those that pivot are an ENUM, whose codes are positions. */
export function shownColumn({ column, pivots }: NamedDimension): string {
  return pivots ? `${column}::varchar` : column;
}

/** The param with the names of a dimension that count. */
export function paramOf({ name, plural, column }: NamedDimension): string {
  return name === column ? plural : column;
}

function filledIn(part: string, dimension: NamedDimension): string {
  const { column } = dimension;
  const text = shownColumn(dimension);
  return part.replaceAll("{column}", column)
    .replaceAll("{text}", text)
    .replaceAll("{shown}", text === column ? column : `${text} as ${column}`)
    .replaceAll("{param}", paramOf(dimension));
}
