/** Statements about what records say of customers: those of sql/ that repeat a part for each dimension of customers. */

import {
  type Dimension,
  isAttribute,
  type NamedDimension,
  ofCustomers,
  recordOf,
  type Rollup,
} from "../model/dimensions.ts";
import { readSql } from "../read_sql.ts";
import type { ComposedSql } from "./database.ts";

/** A part that is repeated, what stands between two of them, and of which dimensions. */
const REPEATED = /\/\*([a-z_]+)(?: \[(.*?)\])? ([^]*?)\*\//g;

/** What a statement repeats its parts for. */
export interface Repeated {
  readonly dimensions: readonly NamedDimension[];
  /** Those that it groups by. */
  readonly by?: readonly Dimension[];
}

/**
 * The text with its parts in comments repeated: `each` in the order of answers, and
 * of these `pivot` for those that pivot, `searched` for those by which customers are
 * found, `daily` and `daily_by_record` for those of the rollup; `record` in the order
 * of the columns of records, and of these `limited` for those of which a load is
 * refused that has too many names, `spelt` for the others; `attribute` for those that
 * tally.toml names; `by` as it is grouped.
 */
export function repeated(
  text: string,
  { dimensions, by = [] }: Repeated,
): string {
  const each = ofCustomers(dimensions);
  const record = recordOf(dimensions);
  const rolledUp = (rollup: Rollup) =>
    each.filter(({ rollups }) => rollups.includes(rollup));
  const lists: Readonly<Record<string, readonly NamedDimension[]>> = {
    each,
    pivot: each.filter(({ pivots }) => pivots),
    searched: each.filter(({ is_searched }) => is_searched),
    daily: rolledUp("daily"),
    daily_by_record: rolledUp("daily_by_record"),
    record,
    limited: record.filter(({ refused_above }) => refused_above !== null),
    spelt: record.filter(({ refused_above }) => refused_above === null),
    attribute: dimensions.filter(isAttribute),
    by: by.map((name) => dimensions.find((one) => one.name === name)!),
  };
  return text.replaceAll(
    REPEATED,
    (...[, list, between = "", part]: string[]) =>
      lists[list].map((dimension) =>
        filledIn(part.trimEnd(), dimension)
          .replaceAll("{staged}", stagedColumn(dimension, lists.attribute))
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

/** What has it in the staged records: attributes are one list there. */
function stagedColumn(
  dimension: NamedDimension,
  attributes: readonly NamedDimension[],
): string {
  const place = attributes.indexOf(dimension);
  return place < 0 ? dimension.column : `attributes[${place + 1}]`;
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
    .replaceAll("{param}", paramOf(dimension))
    .replaceAll("{most}", `${dimension.listed_up_to}`);
}
