/** A DuckDB instance that can touch nothing but its own folder, and the SQL files it runs. */

import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBResult,
  DuckDBTypeId,
  type DuckDBValue,
  type JS,
  ResultReturnType,
} from "@duckdb/node-api";
import bindings from "@duckdb/node-bindings";
import { createInTurn } from "../model/in_turn.ts";
import { stagingFull, StoreError } from "../model/problems.ts";
import { readSql } from "../read_sql.ts";
import { bindValues, createChunkReader } from "./native_values.ts";

/** The memory, threads and folders that DuckDB may use. */
export interface DatabaseLimits {
  /** Such as `600MB`; what does not fit is spilled to the folder. */
  readonly memory_limit: string;
  readonly threads: number;
  /** Folders beside its own that its SQL may use; the caller removes them. */
  readonly also_reads?: readonly string[];
  /** When it is aborted, statements end and throw its reason, but those on connections of others. */
  readonly signal?: AbortSignal;
}

/** How often a call of DuckDB is interrupted until it ends. */
const INTERRUPT_EVERY_MS = 20;
const NEVER = new AbortController().signal;

/** A row of an answer, by column name. */
export type Row = Record<string, JS>;

/** A batch of rows of numbers: one array per column. */
export type Columns = readonly (Float64Array | Uint32Array | Uint16Array)[];

/** SQL text composed by this program. */
export interface ComposedSql {
  readonly sql: string;
}

/** A prepared statement: takes its params, returns its rows. */
export type Prepared = (
  values: Record<string, DuckDBValue>,
) => Promise<DuckDBValue[][]>;

/** An open database: one instance and its connection. */
export interface Database {
  /** Runs SQL text composed by this program. */
  run(sql: string, values?: Record<string, DuckDBValue>): Promise<Row[]>;
  /** Runs `sql/{name}.sql`; `values` are its params. */
  runFile(name: string, values?: Record<string, DuckDBValue>): Promise<Row[]>;
  /** Prepares `sql/{name}.sql`; its rows come by position. */
  prepare(name: string): Promise<Prepared>;
  /**
   * Runs `sql/{name}.sql`, or SQL composed by this program, and yields its rows as they
   * come; its columns are numbers, never null.
   */
  streamNumbers(query: string | ComposedSql): AsyncGenerator<Columns>;
  /** The same with rows of any values, by position. */
  streamRows(query: string | ComposedSql): AsyncGenerator<DuckDBValue[][]>;
  /** Writes every table as Parquet to `folder`, new and below the database's own. */
  exportTables(folder: string): Promise<void>;
  /** Makes the tables that `exportTables` wrote to `folder`, below the database's own. */
  importTables(folder: string): Promise<void>;
  /** Sets the number of threads, then locks all settings. */
  lock(threads: number): Promise<void>;
  /** Another connection, which the caller closes or gives back. */
  connect(): Promise<DuckDBConnection>;
  /** Takes a connection back for the next who connects; all rows of its last statement were read. */
  giveBack(connection: DuckDBConnection): void;
  close(): void;
}

/**
 * Opens a new database in `folder`. Its SQL reads and writes below `folder` only
 * and loads no extension, from the start; `lock` makes its settings final.
 */
export async function openDatabase(
  folder: string,
  { memory_limit, threads, also_reads = [], signal = NEVER }: DatabaseLimits,
): Promise<Database> {
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit,
    threads: String(threads),
    temp_directory: `${folder}/spill`,
  });
  const connection = await instance.connect().catch((error) => {
    instance.closeSync();
    throw error;
  });
  const idle: DuckDBConnection[] = [];
  const connect = async () => {
    const kept = idle.pop();
    if (kept) return kept;
    const other = await instance.connect();
    try {
      await other.run("use tally");
      return other;
    } catch (error) {
      other.closeSync();
      throw error;
    }
  };

  async function run(
    sql: string,
    values?: Record<string, DuckDBValue>,
  ): Promise<Row[]> {
    const result = await interruptible(() => connection.run(sql, values), {
      connection,
      signal,
    });
    return result.getRowObjectsJS();
  }
  // On a connection of its own: another statement would end the stream.
  async function* stream<Batch>(
    query: string | ComposedSql,
    createReader: (result: DuckDBResult) => (chunk: DuckDBDataChunk) => Batch,
  ): AsyncGenerator<Batch> {
    const own = await connect();
    const ended = { connection: own, signal };
    try {
      const sql = typeof query === "string" ? await readSql(query) : query.sql;
      const result = await interruptible(() => own.stream(sql), ended);
      const read = createReader(result);
      for (;;) {
        const chunk = await interruptible(() => result.fetchChunk(), ended);
        if (!chunk || chunk.rowCount === 0) break;
        yield read(chunk);
      }
      requireWhole(result);
    } finally {
      own.closeSync();
    }
  }
  const database: Database = {
    run,
    runFile: async (name, values) => run(await readSql(name), values),
    async prepare(name) {
      const statement = await connection.prepare(await readSql(name));
      // One run at a time: a statement that is bound again while it runs
      // answers with the other run's numbers.
      const inTurn = createInTurn();
      return (values) =>
        inTurn(async () => {
          bindValues(statement, values);
          const result = await statement.run();
          const vectorsOf = createChunkReader(result);
          const chunks = await result.fetchAllChunks();
          return chunks.flatMap((chunk) => {
            const vectors = vectorsOf(chunk);
            return Array.from(
              { length: chunk.rowCount },
              (_, row) => vectors.map((vector) => vector.getItem(row)),
            );
          });
        });
    },
    streamNumbers: (query) =>
      stream(query, (result) => {
        const arrays = result.columnTypes()
          .map(({ typeId }) => ARRAYS[typeId]!);
        return (chunk) =>
          arrays.map((array, i) =>
            columnOf(chunk, { column: i, Numbers: array })
          );
      }),
    streamRows: (query) => stream(query, () => (chunk) => chunk.getRows()),
    async exportTables(folder) {
      // On a connection of its own, since requests are answered meanwhile.
      const own = await connect();
      try {
        await own.run(`export database ${quoteText(folder)} (format parquet)`);
        const types = await own.runAndReadAll(
          "select type_name, labels from duckdb_types() where labels is not null",
        );
        await quoteLabels(folder, types.getRowsJS() as [string, string[]][]);
      } finally {
        own.closeSync();
      }
    },
    async importTables(folder) {
      await run(`import database ${quoteText(folder)}`);
    },
    async lock(threads) {
      await run(`set threads = ${threads}; set lock_configuration = true`);
    },
    connect,
    giveBack: (connection) => void idle.push(connection),
    close() {
      for (const one of [connection, ...idle]) one.closeSync();
      instance.closeSync();
    },
  };
  try {
    // The file is not opened again: a log of what is written, synced some sixty times in a
    // load, would be for nothing, and a checkpoint at the end would only delay answers.
    const allowed = [folder, ...also_reads].map((path) =>
      quoteText(`${path}/`)
    );
    await run(`attach ${quoteText(`${folder}/tally.duckdb`)} as tally
        (recovery_mode no_wal_writes);
      use tally;
      set allowed_directories = [${allowed.join(", ")}];
      set enable_external_access = false;
      set autoload_known_extensions = false;
      set autoinstall_known_extensions = false;
      set allow_community_extensions = false;
      pragma disable_checkpoint_on_shutdown`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/**
 * Calls DuckDB. When the signal is aborted, before or meanwhile, the call ends and the
 * reason is thrown.
 */
export async function interruptible<T>(
  call: () => Promise<T>,
  { connection, signal }: {
    readonly connection: DuckDBConnection;
    readonly signal: AbortSignal;
  },
): Promise<T> {
  signal.throwIfAborted();
  let timer: ReturnType<typeof setInterval> | undefined;
  // One before DuckDB has begun is lost, and one between two calls does nothing.
  const interrupt = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  signal.addEventListener("abort", interrupt);
  try {
    const result = await call();
    signal.throwIfAborted();
    return result;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", interrupt);
    clearInterval(timer);
  }
}

/** A text as a literal of SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Mends the enums of an export: DuckDB 1.5 writes their labels without doubling the
 * quotes in them, and then cannot import what it has written.
 */
async function quoteLabels(
  folder: string,
  types: readonly (readonly [name: string, labels: readonly string[]])[],
): Promise<void> {
  const file = `${folder}/schema.sql`;
  let schema = await Deno.readTextFile(file);
  for (const [name, labels] of types) {
    const create = (quote: (label: string) => string) =>
      `CREATE TYPE ${name} AS ENUM ( ${labels.map(quote).join(", ")} );`;
    const written = create((label) => `'${label}'`);
    schema = schema.replace(written, () => create(quoteText));
  }
  await Deno.writeTextFile(file, schema);
}

type NumberArray =
  | typeof Float64Array
  | typeof Uint32Array
  | typeof Uint16Array;

const ARRAYS: { readonly [type in DuckDBTypeId]?: NumberArray } = {
  [DuckDBTypeId.DOUBLE]: Float64Array,
  [DuckDBTypeId.UINTEGER]: Uint32Array,
  [DuckDBTypeId.USMALLINT]: Uint16Array,
};

// Reads the bytes of the vector: 10 M rows take 0.7 s; value by value they take 2 s.
function columnOf(
  { chunk, rowCount }: DuckDBDataChunk,
  { column, Numbers }: {
    readonly column: number;
    readonly Numbers: NumberArray;
  },
) {
  const vector = bindings.data_chunk_get_vector(chunk, column);
  const size = rowCount * Numbers.BYTES_PER_ELEMENT;
  const bytes = bindings.vector_get_data(vector, size);
  return new Numbers(bytes.buffer as ArrayBuffer, bytes.byteOffset, rowCount);
}

/**
 * Throws when a stream has ended because DuckDB failed: fetching a chunk ends as if
 * there were no more rows, and only the type of the result differs.
 */
export function requireWhole(result: DuckDBResult): void {
  if (result.returnType === ResultReturnType.INVALID) {
    throw new Error("DuckDB failed while the rows of a query were read");
  }
}

/** Whether an error of DuckDB says that DUCKDB_MEMORY_LIMIT was too little for it. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error &&
    error.message.startsWith("Out of Memory Error");
}

/** The problem of a file of DuckDB that its disk does not take or give; undefined for other errors. */
export function diskProblem(error: unknown): StoreError | undefined {
  const message = error instanceof Error ? error.message : "";
  const [, problem] = /^IO Error: (.*)/.exec(message) ?? [];
  const full = stagingFull(error);
  if (full || problem === undefined) return full;
  // Without the folders, which are no business of those who ask over HTTP.
  const shown = problem.replaceAll(/"[^"]*\/([^"/]*)"/g, '"$1"');
  return new StoreError(
    "unavailable",
    `DuckDB cannot use STAGING_DIR: ${shown}. Check its disk and its mount.`,
  );
}

/** The problem of an error of DuckDB that more memory, or a disk that works, would prevent; undefined for others. */
export function resourceProblem(error: unknown): StoreError | undefined {
  if (isOutOfMemory(error)) {
    return new StoreError(
      "full",
      "DuckDB has too little memory for this data. Raise DUCKDB_MEMORY_LIMIT.",
    );
  }
  return diskProblem(error);
}
