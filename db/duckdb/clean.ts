/** Loads and cleans exports with DuckDB for an engine elsewhere, and hands their rows over as Parquet. */

import {
  type Clean,
  HANDED_OVER,
  type HandedOver,
  type Piece,
  type SummedColumn,
  summedColumns,
  type TableSums,
} from "../cleaned.ts";
import { type CustomersShape, customersShape } from "../model/customer_ids.ts";
import {
  isAttribute,
  type NamedDimension,
  recordOf,
} from "../model/dimensions.ts";
import type { Pressure } from "../serving/pressure.ts";
import { readSql } from "../read_sql.ts";
import {
  type Database,
  openDatabase,
  quoteText,
  resourceProblem,
} from "./database.ts";
import { loadExports, type LoadSettings } from "./load.ts";
import { buildQueryTables } from "./query_tables.ts";
import { repeated } from "./record_sql.ts";

/** The settings that cleaning needs. */
export interface CleanOptions extends LoadSettings {
  /** Such as `600MB`. */
  readonly memory_limit: string;
  readonly threads: number;
  /** Ends loads that take too much memory. */
  readonly pressure: Pick<Pressure, "beginLoad">;
}

/** Rows of a piece: about 20 MB of Parquet. */
const PIECE_ROWS = 2_000_000;

/** How exports are cleaned under these settings. */
export function createClean(options: CleanOptions): Clean {
  return async (exports, { folder, strict, progress, signal }) => {
    using opened = new DisposableStack();
    // It takes memory until its rows are handed over.
    const load = opened.use(options.pressure.beginLoad());
    try {
      const database = await openDatabase(folder, {
        memory_limit: options.memory_limit,
        threads: options.threads,
        also_reads: [exports.folder],
        signal: AbortSignal.any([signal, load.signal]),
      });
      opened.defer(() => database.close());
      const loaded = await loadExports(database, exports, {
        ...options,
        strict,
        progress,
      });
      progress("counting per day");
      const { dimensions, customer_names, days } = await buildQueryTables(
        database,
        loaded,
      );
      const sources = await prepareSources(database, {
        dimensions,
        shape: customersShape(loaded.report),
      });
      const closing = opened.move();
      return {
        loaded,
        customer_names,
        days,
        pieces: () => pieces(database, { sources, folder }),
        sumsOf: (table) => sumsOf(database, { table, sources, dimensions }),
        close: () => closing.dispose(),
      };
    } catch (error) {
      load.signal.throwIfAborted();
      throw resourceProblem(error) ?? error;
    }
  };
}

/** The rows of a table, in its order. */
interface Source {
  readonly sql: string;
  /** The table that `sql` reads whole, of which a piece is a range of rows; absent where there are few. */
  readonly from?: string;
}

type Sources = Readonly<Record<HandedOver, Source>>;

/** Where the rows of each table come from; those of customers are computed once. */
async function prepareSources(
  database: Database,
  { dimensions, shape }: {
    readonly dimensions: readonly NamedDimension[];
    readonly shape: CustomersShape;
  },
): Promise<Sources> {
  const [set_topics, kinds, customers, interactions, products] = await Promise
    .all([
      "load/5_hand_over/set_topics",
      "load/5_hand_over/kinds",
      "load/5_hand_over/customers",
      "load/5_hand_over/interactions",
      "load/5_hand_over/products",
    ].map(readSql));
  await database.run(
    `create table handed_customers as ${
      filledIn(customers, { dimensions, shape })
    }`,
  );
  return {
    set_topics: { sql: set_topics },
    kinds: { sql: repeated(kinds, { dimensions }) },
    customers: {
      sql: "select * from handed_customers",
      from: "handed_customers",
    },
    interactions: { sql: interactions, from: "interactions" },
    products: { sql: products },
  };
}

function filledIn(
  sql: string,
  { dimensions, shape: { ids, names } }: {
    readonly dimensions: readonly NamedDimension[];
    readonly shape: CustomersShape;
  },
): string {
  const is_text = ids === "text";
  // Labelled, so that a record does not differ by an attribute that it does not have.
  const cells = recordOf(dimensions).map((one) =>
    `${quoteText(`${one.name}=`)} || ${
      isAttribute(one) ? one.column : `${one.column}::varchar`
    }`
  );
  const record = [
    is_text ? "id" : "customer_id::varchar",
    ...names ? ["'name=' || name"] : [],
    ...cells,
  ];
  const parts: Readonly<Record<string, string>> = {
    "{name}": names ? "name" : "null::varchar",
    "{record}": `concat_ws(chr(31), ${record.join(", ")})`,
    "{ids}": is_text ? "join ids using (customer_id)" : "",
    "{of_ids}": is_text ? "join ids using (customer_id)" : "",
    "{id}": is_text ? "ids.id" : "''",
    "[{counts}]": "list_value(*columns('_rows$'))",
  };
  return Object.entries(parts).reduce(
    (text, [place, part]) => text.replaceAll(place, () => part),
    sql,
  );
}

async function* pieces(
  database: Database,
  { sources, folder }: {
    readonly sources: Sources;
    readonly folder: string;
  },
): AsyncGenerator<Piece> {
  for (const table of HANDED_OVER) {
    const { sql, from } = sources[table];
    const rows = from ? await rowsOf(database, from) : 1;
    for (let first = 0; first < rows; first += PIECE_ROWS) {
      const file = `${folder}/${table}.parquet`;
      const range = from
        ? `where ${from}.rowid between ${first} and ${first + PIECE_ROWS - 1}`
        : "";
      await database.run(
        `copy (${sql} ${range}) to ${quoteText(file)}
        (format parquet, compression zstd)`,
      );
      try {
        yield { table, file };
      } finally {
        await Deno.remove(file);
      }
    }
  }
}

async function rowsOf(database: Database, table: string): Promise<number> {
  const [{ rows }] = await database.run(
    `select count(*)::double as rows from ${table}`,
  );
  return rows as number;
}

async function sumsOf(
  database: Database,
  { table, sources, dimensions }: {
    readonly table: HandedOver;
    readonly sources: Sources;
    readonly dimensions: readonly NamedDimension[];
  },
): Promise<TableSums> {
  const number = table === "interactions"
    ? INTERACTION_NUMBER
    : `('0x' || substr(md5(concat_ws('|', ${
      summedColumns(table, dimensions).map(textOf).join(", ")
    })), 1, 8))::ubigint`;
  const [{ rows, checksum }] = await database.run(
    `select count(*)::double as rows, coalesce(sum(${number}), 0)::varchar as checksum
    from (${sources[table].sql})`,
  );
  return { rows: rows as number, checksum: checksum as string };
}

/** As wide as 10^10 rows allow, whose sum must fit into 64 bits. */
const INTERACTION_NUMBER = `((customer_id::bigint % 1000003 + 1)
  * (day - date '1900-01-01' + 7)::bigint * (channel::bigint + 3)
  + topic_set::bigint * 101 + kind::bigint) % 1000000007`;

function textOf({ column, type }: SummedColumn): string {
  switch (type) {
    case "boolean":
      return `${column}::integer`;
    case "list":
      return `array_to_string(${column}, ',')`;
    default:
      return column;
  }
}
