/** Puts cleaned exports into the tables of a version, and makes sure that every replica has every row. */

import {
  type Cleaned,
  HANDED_OVER,
  type HandedOver,
  type SummedColumn,
  summedColumns,
  type TableSums,
} from "../cleaned.ts";
import type { Progress } from "../engine.ts";
import { type ReplicaSums, sumsProblem } from "./replica_sums.ts";
import { type NamedDimension, ofCustomers } from "../model/dimensions.ts";
import { readSql } from "../read_sql.ts";
import { qualified } from "./questions.ts";
import {
  onCluster,
  type Place,
  quoteName,
  quoteText,
  repeated,
  storedTable,
  tableStatements,
} from "./schema.ts";
import type { ClickhouseServer } from "./server.ts";

/** What is transferred, and where to. */
export interface Transfer {
  readonly cleaned: Cleaned;
  readonly place: Place;
  readonly dimensions: readonly NamedDimension[];
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Makes the database of a version and fills its tables. Throws when a replica lacks a row; the caller then drops the database. */
export async function transfer(
  server: ClickhouseServer,
  { cleaned, place, dimensions, progress, signal }: Transfer,
): Promise<void> {
  const database = quoteName(place.database);
  const run = (sql: string) => server.run({ sql, signal });
  // What a load left that was ended here.
  await run(dropDatabase(place));
  await run(`create database ${database}${onCluster(place)}`);
  const sql = await readSql("clickhouse/version_tables");
  for (const statement of tableStatements(sql, { place, dimensions })) {
    await run(statement);
  }
  await server.insert(`${database}.names`, namesOf(cleaned, dimensions));
  let parts = 0;
  for await (const { table, file } of cleaned.pieces()) {
    progress(`sending ${table} to ClickHouse, part ${++parts}`);
    await server.insertParquet(`${database}.${table}`, { file, signal });
  }
  progress("counting per day in ClickHouse");
  const fill = repeated(await readSql("clickhouse/fill_daily"), dimensions);
  await run(qualified(fill, place.database));
  progress("checking that ClickHouse has every row");
  if (place.cluster !== null) await syncReplicas(server, { place, signal });
  for (const table of HANDED_OVER) {
    const expected = await cleaned.sumsOf(table);
    const number = numberOf(table, dimensions);
    await requireWhole(server, { table, number, expected, place, signal });
    if (table !== "interactions") continue;
    // The rollup has as many interactions as there are rows of them.
    await requireWhole(server, {
      table: "daily",
      number: "rows",
      expected: { checksum: String(expected.rows) },
      place,
      signal,
    });
  }
}

/** Every table of a version. */
const ALL_TABLES = ["names", ...HANDED_OVER, "daily"];

/** The statement that drops the database of a version on every server. */
export function dropDatabase(place: Place): string {
  return `drop database if exists ${quoteName(place.database)}${
    onCluster(place)
  }${place.cluster === null ? "" : " sync"}`;
}

function namesOf(
  { loaded: { channels, topics }, customer_names }: Cleaned,
  dimensions: readonly NamedDimension[],
) {
  const of = (
    dimension: string,
    { names, first }: {
      readonly names: readonly string[];
      readonly first: number;
    },
  ) => names.map((name, place) => ({ dimension, code: place + first, name }));
  return [
    ...of("channel", { names: channels, first: 0 }),
    ...of("topic", { names: topics, first: 1 }),
    ...ofCustomers(dimensions).flatMap(({ name }) =>
      of(name, { names: customer_names[name] ?? [], first: 1 })
    ),
  ];
}

/** Waits until every replica has the rows of all tables. */
async function syncReplicas(
  server: ClickhouseServer,
  { place, signal }: { readonly place: Place; readonly signal: AbortSignal },
): Promise<void> {
  for (const table of ALL_TABLES) {
    const name = `${quoteName(place.database)}.${storedTable(table, place)}`;
    const sql = `system sync replica${onCluster(place)} ${name}`;
    await server.run({ sql, signal });
  }
}

/** Throws unless every replica has what was sent, or as many interactions in its rollup. */
async function requireWhole(
  server: ClickhouseServer,
  { table, number, expected, place, signal }:
    & Pick<Transfer, "place" | "signal">
    & {
      readonly table: string;
      /** Of a row, whose sum is the checksum. */
      readonly number: string;
      readonly expected: Pick<TableSums, "checksum">;
    },
): Promise<void> {
  const { database, cluster } = place;
  const stored = storedTable(table, place);
  const name = `${quoteName(database)}.${stored}`;
  const [where, shard, replica] = cluster === null ? [name, "''", "''"] : [
    `clusterAllReplicas(${quoteText(cluster)}, ${name})`,
    "getMacro('shard')",
    "getMacro('replica')",
  ];
  const found: ReplicaSums[] = [];
  const sql = `select shard, replica, toString(sum(number)) as checksum
from (
  select ${shard} as shard, ${replica} as replica, ${number} as number
  from ${where})
group by shard, replica`;
  for await (const batch of server.query({ sql, signal })) {
    for (const [shard, replica, checksum] of batch) {
      found.push({ shard, replica, checksum } as ReplicaSums);
    }
  }
  const is_spread = stored !== table;
  const problem = sumsProblem(found, {
    expected: expected.checksum,
    is_spread,
  });
  if (problem !== null) throw new Error(`${table} in ClickHouse: ${problem}`);
}

/** The number of a row: the same as the loader computes. */
function numberOf(
  table: HandedOver,
  dimensions: readonly NamedDimension[],
): string {
  if (table === "interactions") {
    return `((customer_id % 1000003 + 1)
  * toUInt64(toInt32(day) + 25574) * (toUInt64(channel) + 3)
  + toUInt64(topic_set) * 101 + kind) % 1000000007`;
  }
  const texts = summedColumns(table, dimensions).map(textOf)
    .join(", '|', ");
  return `reinterpretAsUInt32(reverse(substring(MD5(concat(${texts})), 1, 4)))`;
}

function textOf({ column, type }: SummedColumn): string {
  switch (type) {
    case "text":
      return column;
    case "boolean":
      return `toString(toUInt8(${column}))`;
    case "list":
      return `arrayStringConcat(arrayMap(n -> toString(n), ${column}), ',')`;
    default:
      return `toString(${column})`;
  }
}
