/** Builds the tables that questions are answered from, on a loaded database. */

import {
  attributesOf,
  dimensionsWith,
  type Extent,
  type NamedDimension,
  ofCustomers,
  withCounts,
} from "../model/dimensions.ts";
import type { Loaded } from "../model/report.ts";
import type { Database } from "./database.ts";
import { foldNames } from "./name_keys.ts";
import { composedSql } from "./record_sql.ts";

/** Facts about the tables. */
export interface QueryTables {
  /** With what each can do. */
  readonly dimensions: readonly NamedDimension[];
  /** Of the dimensions of customers; null where there are too many to list. */
  readonly customer_names: Readonly<Record<string, readonly string[] | null>>;
  /** What decided which dimensions are rolled up. */
  readonly days: number;
}

/** Builds `known_customers`, `set_topics` and the daily rollups. */
export async function buildQueryTables(
  database: Database,
  { report, channels }: Pick<Loaded, "report" | "channels">,
): Promise<QueryTables> {
  const all = dimensionsWith(attributesOf(report));
  const runFor = async (name: string, dimensions: readonly NamedDimension[]) =>
    await database.run((await composedSql(name, dimensions)).sql);
  await foldNames(
    database,
    await composedSql("load/4_serve/record_names_to_fold", all),
  );
  await runFor("load/4_serve/spellings", all);
  const [counts] = await runFor("load/4_serve/name_counts", all);
  const { dimensions, days } = await decideRollups(database, {
    all,
    extent: {
      counts: Object.fromEntries(
        ofCustomers(all).map((
          { name, column },
        ) => [name, Number(counts[column])]),
      ),
      days: spanOf(report),
      channels: channels.length,
      interactions: report.interactions,
    },
  });
  const run = (name: string) => runFor(name, dimensions);
  await run("load/4_serve/name_types");
  await run("load/4_serve/customer_kinds");
  await run("load/4_serve/known_customers");
  const [row] = await run("load/4_serve/query_names");
  await run("load/4_serve/daily_by_record");
  await run("load/4_serve/drop_spellings");
  if (report.mapping?.anonymous_interactions) {
    await database.runFile("load/4_serve/daily_anonymous");
  }
  await run("load/4_serve/daily");
  return {
    dimensions,
    customer_names: Object.fromEntries(
      ofCustomers(dimensions).map(({ name, column, listed_up_to }) => {
        const names = row[column] as string[] | null ?? [];
        return [name, names.length > listed_up_to ? null : names];
      }),
    ),
    days,
  };
}

/** From the first day with an interaction to the last. */
function spanOf({ date_range }: Loaded["report"]): number {
  if (!date_range) return 0;
  const { first, last } = date_range;
  return 1 + (Date.parse(last) - Date.parse(first)) / 86_400_000;
}

/** A single wrong year makes the span long, so that days are counted before it decides anything. */
async function decideRollups(
  database: Database,
  { all, extent }: {
    readonly all: readonly NamedDimension[];
    readonly extent: Extent;
  },
): Promise<Pick<QueryTables, "dimensions" | "days">> {
  const by_span = withCounts(all, extent);
  const rolled = (dimensions: readonly NamedDimension[]) =>
    dimensions.filter(({ rollups }) => rollups.length > 0).length;
  if (rolled(by_span) === rolled(all)) {
    return { dimensions: by_span, days: extent.days };
  }
  const [{ days }] = await database.runFile("load/4_serve/days");
  return {
    dimensions: withCounts(all, { ...extent, days: days as number }),
    days: days as number,
  };
}
