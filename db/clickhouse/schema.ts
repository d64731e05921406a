/** The statements that make databases and tables, on one server or on every server of a cluster. */

import { type NamedDimension, ofCustomers } from "../model/dimensions.ts";

/** Where tables are made. */
export interface Place {
  readonly database: string;
  /** The name of a cluster in the configuration of the servers; null for one server. */
  readonly cluster: string | null;
}

/** The tables whose rows are spread over the shards; each shard has all rows of the others. */
const SHARDED: readonly string[] = ["customers", "interactions"];

/** A name between backticks. */
export function quoteName(name: string): string {
  return "`" + name.replaceAll("\\", "\\\\").replaceAll("`", "\\`") + "`";
}

/** A text as a literal of ClickHouse. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** The part of a statement that has every server of a cluster carry it out. */
export function onCluster({ cluster }: Pick<Place, "cluster">): string {
  return cluster === null ? "" : ` on cluster ${quoteText(cluster)}`;
}

/** The table on each server that takes the rows of `table`. */
export function storedTable(table: string, { cluster }: Place): string {
  return cluster !== null && SHARDED.includes(table) ? `${table}_shard` : table;
}

/**
 * The statements of a file that makes tables, one each, for this place. On a cluster
 * a table is replicated: by shard where its rows are spread, over which another table
 * is laid that has them all; else over all servers.
 */
export function tableStatements(
  sql: string,
  { place, dimensions = [] }: {
    readonly place: Place;
    /** What parts of the file are repeated for. */
    readonly dimensions?: readonly NamedDimension[];
  },
): string[] {
  return repeated(sql, dimensions).split(/;\s*/).filter((one) =>
    one.trim() !== ""
  )
    .flatMap((statement) => placed(statement.trim(), place));
}

/** A part that is repeated for dimensions of customers: `each`, those that are `rolled_up` or `searched`. */
const REPEATED = /\/\*(each|rolled_up|searched) ([^]*?)\*\//g;

/** The text of a file of sql/ with its parts repeated, without its head. */
export function repeated(
  sql: string,
  dimensions: readonly NamedDimension[],
): string {
  const each = ofCustomers(dimensions);
  const lists: Readonly<Record<string, readonly NamedDimension[]>> = {
    each,
    rolled_up: each.filter(isRolledUp),
    searched: each.filter(({ is_searched }) => is_searched),
  };
  return sql.replaceAll(/^--.*\n/gm, "").replaceAll(
    REPEATED,
    (_, list: string, part: string) =>
      lists[list].map(({ column }) => part.replaceAll("{column}", column))
        .join("\n  "),
  );
}

/** Whether the rollup is by a dimension: there is one, of all that have few names. */
export function isRolledUp({ rollups }: NamedDimension): boolean {
  return rollups.length > 0;
}

const CREATE = /^create table (if not exists )?(\w+)/;
const ENGINE = /engine = (\w*MergeTree)(?:\((\w+)\))?/;

function placed(statement: string, place: Place): string[] {
  const { database, cluster } = place;
  const [, if_missing = "", table] = CREATE.exec(statement)!;
  const create = (name: string) =>
    `create table ${if_missing}${quoteName(database)}.${name}${
      onCluster(place)
    }`;
  if (cluster === null) return [statement.replace(CREATE, create(table))];
  const is_sharded = SHARDED.includes(table);
  const stored = storedTable(table, place);
  // The database has a name of its own for each version, so no path is used twice.
  const path = `/tally/${database}/${table}${is_sharded ? "/{shard}" : ""}`;
  const replica = is_sharded ? "{replica}" : "{shard}-{replica}";
  const replicated = statement
    .replace(CREATE, () => create(stored))
    .replace(
      ENGINE,
      (_, engine: string, by?: string) =>
        `engine = Replicated${engine}(${
          [quoteText(path), quoteText(replica), ...by ? [by] : []].join(", ")
        })`,
    );
  if (!is_sharded) return [replicated];
  const from = `${quoteText(database)}, ${quoteText(stored)}`;
  return [
    replicated,
    `${create(table)} as ${quoteName(database)}.${stored}
engine = Distributed(${quoteText(cluster)}, ${from}, cityHash64(customer_id))`,
  ];
}
