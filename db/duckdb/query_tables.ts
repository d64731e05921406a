/** Builds the tables that questions are answered from, on a loaded database. */

import type { CustomerDimension, Names } from "../model/dimensions.ts";
import type { DateRange } from "../model/report.ts";
import type { Database } from "./database.ts";
import { foldNames } from "./name_keys.ts";

/** Facts about the tables. */
export interface QueryTables {
  /** The occupations are null when there are more than MOST_OCCUPATIONS. */
  readonly customer_names: Pick<Names, CustomerDimension>;
  readonly date_range: DateRange | null;
  /** Whether the occupation is in the rollup `daily_by_occupation`. */
  readonly by_occupation: boolean;
}

/** With more occupations, they are free text: not listed, and no dimension. */
const MOST_OCCUPATIONS = 10_000;
/** With more occupations, a rollup by them has nearly as many rows as the interactions. */
const MOST_ROLLED_UP = 100;

/** Builds `known_customers`, `set_topics` and the daily rollups. */
export async function buildQueryTables(
  database: Database,
  { has_anonymous }: {
    /** Whether there are interactions of nobody who is known, under customer 0. */
    readonly has_anonymous: boolean;
  },
): Promise<QueryTables> {
  await foldNames(database, "load/4_serve/occupations_to_fold");
  await database.runFile("load/4_serve/occupations");
  await database.runFile("load/4_serve/customer_kinds", {
    most_rolled_up: MOST_ROLLED_UP,
  });
  await database.runFile("load/4_serve/known_customers");
  const [row] = await database.runFile("load/4_serve/query_names", {
    most_occupations: MOST_OCCUPATIONS,
  });
  const types = row.types as string[] | null ?? [];
  const occupations = row.occupations as string[] | null ?? [];
  await database.runFile("load/4_serve/daily_by_occupation");
  if (has_anonymous) await database.runFile("load/4_serve/daily_anonymous");
  await database.runFile("load/4_serve/daily");
  const { first, last } = row as { first: string | null; last: string | null };
  return {
    customer_names: {
      type: types,
      occupation: occupations.length > MOST_OCCUPATIONS ? null : occupations,
    },
    date_range: first && last ? { first, last } : null,
    by_occupation: occupations.length <= MOST_ROLLED_UP,
  };
}
