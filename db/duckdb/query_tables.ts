/** Builds the tables that questions are answered from, on a loaded database. */

import {
  NAMED_DIMENSIONS,
  type NamedDimension,
  ofCustomers,
  withCounts,
} from "../model/dimensions.ts";
import type { DateRange } from "../model/report.ts";
import type { Database } from "./database.ts";
import { foldNames } from "./name_keys.ts";
import { composedSql } from "./record_sql.ts";

/** Facts about the tables. */
export interface QueryTables {
  /** With what each can do. */
  readonly dimensions: readonly NamedDimension[];
  /** Of the dimensions of customers; null where there are too many to list. */
  readonly customer_names: Readonly<Record<string, readonly string[] | null>>;
  readonly date_range: DateRange | null;
}

/** Builds `known_customers`, `set_topics` and the daily rollups. */
export async function buildQueryTables(
  database: Database,
  { dimensions: all = NAMED_DIMENSIONS, has_anonymous }: {
    readonly dimensions?: readonly NamedDimension[];
    /** Whether there are interactions of nobody who is known, under customer 0. */
    readonly has_anonymous: boolean;
  },
): Promise<QueryTables> {
  const runFor = async (name: string, dimensions: readonly NamedDimension[]) =>
    await database.run((await composedSql(name, dimensions)).sql);
  await foldNames(
    database,
    await composedSql("load/4_serve/record_names_to_fold", all),
  );
  await runFor("load/4_serve/spellings", all);
  const [counts] = await runFor("load/4_serve/name_counts", all);
  const dimensions = withCounts(
    all,
    Object.fromEntries(
      ofCustomers(all).map((
        { name, column },
      ) => [name, Number(counts[column])]),
    ),
  );
  const run = (name: string) => runFor(name, dimensions);
  await run("load/4_serve/name_types");
  await run("load/4_serve/customer_kinds");
  await run("load/4_serve/known_customers");
  const [row] = await run("load/4_serve/query_names");
  await run("load/4_serve/daily_by_record");
  await run("load/4_serve/drop_spellings");
  if (has_anonymous) await database.runFile("load/4_serve/daily_anonymous");
  await run("load/4_serve/daily");
  const { first, last } = row as { first: string | null; last: string | null };
  return {
    dimensions,
    customer_names: Object.fromEntries(
      ofCustomers(dimensions).map(({ name, column, listed_up_to }) => {
        const names = row[column] as string[] | null ?? [];
        return [name, names.length > listed_up_to ? null : names];
      }),
    ),
    date_range: first && last ? { first, last } : null,
  };
}
