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
  let rows_sent = 0;
  for await (const { table, file } of cleaned.pieces()) {
    progress(`sending ${table} to ClickHouse, part ${++rows_sent}`);
    await server.insertParquet(`${database}.${table}`, { file, signal });
  }
  progress("counting per day in ClickHouse");
  const fill = repeated(await readSql("clickhouse/fill_daily"), dimensions);
  await run(qualified(fill, place.database));
  progress("checking that ClickHouse has every row");
  if (place.cluster !== null) await syncReplicas(server, { place, signal });
  for (const table of HANDED_OVER) {
    await requireWhole(server, {
      table,
      expected: await cleaned.sumsOf(table),
      place,
      dimensions,
      signal,
    });
  }
}

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

async function syncReplicas(
  server: ClickhouseServer,
  { place, signal }: { readonly place: Place; readonly signal: AbortSignal },
): Promise<void> {
  for (const table of HANDED_OVER) {
    const stored = storedTable(table, place);
    const name = `${quoteName(place.database)}.${stored}`;
    if (stored !== table) {
      await server.run({
        sql: `system flush distributed ${quoteName(place.database)}.${table}`,
        signal,
      });
    }
    await server.run({
      sql: `system sync replica${onCluster(place)} ${name}`,
      signal,
    });
  }
}

/** Throws unless every replica has the rows that were sent; of a table that is spread, those of one replica of each shard together. */
async function requireWhole(
  server: ClickhouseServer,
  { table, expected, place, dimensions, signal }:
    & Pick<Transfer, "place" | "dimensions" | "signal">
    & { readonly table: HandedOver; readonly expected: TableSums },
): Promise<void> {
  const { database, cluster } = place;
  const stored = storedTable(table, place);
  const sums = `count() as rows, toString(sum(${
    numberOf(table, dimensions)
  })) as checksum`;
  const read = async (sql: string): Promise<TableSums[]> => {
    const found: TableSums[] = [];
    for await (const batch of server.query({ sql, signal })) {
      for (const [rows, checksum] of batch) {
        found.push({ rows: rows as number, checksum: checksum as string });
      }
    }
    return found;
  };
  const name = `${quoteName(database)}.${table}`;
  const everywhere = cluster === null
    ? []
    : stored === table
    ? await read(`select ${sums}
from clusterAllReplicas(${quoteText(cluster)}, ${quoteName(database)}.${stored})
group by hostName()`)
    : await sumsOfReplicas(server, { sums, place, stored, signal });
  for (
    const found of [...await read(`select ${sums} from ${name}`), ...everywhere]
  ) {
    if (found.rows === expected.rows && found.checksum === expected.checksum) {
      continue;
    }
    throw new Error(
      `ClickHouse has ${found.rows} rows of ${table} with checksum ${found.checksum}; ${expected.rows} rows with ${expected.checksum} were sent`,
    );
  }
}

/** The sums of a table that is spread, as replica 1, 2 and so on of every shard have it. */
async function sumsOfReplicas(
  server: ClickhouseServer,
  { sums, place: { database, cluster }, stored, signal }: {
    readonly sums: string;
    readonly place: Place;
    readonly stored: string;
    readonly signal: AbortSignal;
  },
): Promise<TableSums[]> {
  const sql = `select replica_num, sum(rows), toString(sum(toUInt64(checksum)))
from (
  select hostName() as host, ${sums}
  from clusterAllReplicas(${quoteText(cluster!)}, ${
    quoteName(database)
  }.${stored})
  group by host) as counted
join (
  select host_name as host, replica_num
  from system.clusters where cluster = ${quoteText(cluster!)}) as places
  using (host)
group by replica_num`;
  const found: TableSums[] = [];
  for await (const batch of server.query({ sql, signal })) {
    for (const [, rows, checksum] of batch) {
      found.push({ rows: rows as number, checksum: checksum as string });
    }
  }
  return found;
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
