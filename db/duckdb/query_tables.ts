/** Builds the tables that questions are answered from, on a loaded database. */

import type { DuckDBValue } from "@duckdb/node-api";
import {
  MOST_NAMES,
  NAMED_DIMENSIONS,
  type NamedDimension,
  ofCustomers,
} from "../model/dimensions.ts";
import type { DateRange } from "../model/report.ts";
import type { Database } from "./database.ts";
import { foldNames } from "./name_keys.ts";
import { composedSql } from "./record_sql.ts";

/** Facts about the tables. */
export interface QueryTables {
  /** Of the dimensions of customers; null where there are more than MOST_NAMES. */
  readonly customer_names: Readonly<Record<string, readonly string[] | null>>;
  readonly date_range: DateRange | null;
  /** Whether the occupation is in the rollup `daily_by_occupation`. */
  readonly by_occupation: boolean;
}

/** With more occupations, a rollup by them has nearly as many rows as the interactions. */
const MOST_ROLLED_UP = 100;

/** Builds `known_customers`, `set_topics` and the daily rollups. */
export async function buildQueryTables(
  database: Database,
  { dimensions = NAMED_DIMENSIONS, has_anonymous }: {
    readonly dimensions?: readonly NamedDimension[];
    /** Whether there are interactions of nobody who is known, under customer 0. */
    readonly has_anonymous: boolean;
  },
): Promise<QueryTables> {
  const run = async (name: string, values?: Record<string, DuckDBValue>) => {
    const { sql } = await composedSql(name, dimensions);
    return await database.run(sql, values);
  };
  await foldNames(
    database,
    await composedSql("load/4_serve/record_names_to_fold", dimensions),
  );
  await run("load/4_serve/spellings");
  const { sql: types } = await composedSql(
    "load/4_serve/name_types",
    dimensions.filter(({ pivots }) => pivots),
  );
  await database.run(types);
  await run("load/4_serve/customer_kinds", { most_rolled_up: MOST_ROLLED_UP });
  await run("load/4_serve/known_customers");
  const [row] = await run("load/4_serve/query_names", {
    most_names: MOST_NAMES,
  });
  await database.runFile("load/4_serve/daily_by_occupation");
  await run("load/4_serve/drop_spellings");
  if (has_anonymous) await database.runFile("load/4_serve/daily_anonymous");
  await database.runFile("load/4_serve/daily");
  const { first, last } = row as { first: string | null; last: string | null };
  const namesOf = ({ column }: NamedDimension) =>
    row[column] as string[] | null ?? [];
  return {
    customer_names: Object.fromEntries(
      ofCustomers(dimensions).map((one) => {
        const names = namesOf(one);
        return [one.name, names.length > MOST_NAMES ? null : names];
      }),
    ),
    date_range: first && last ? { first, last } : null,
    by_occupation: dimensions.some((one) =>
      one.name === "occupation" && namesOf(one).length <= MOST_ROLLED_UP
    ),
  };
}
