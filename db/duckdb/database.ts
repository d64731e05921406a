/** A DuckDB instance that can touch nothing but its own folder, and the SQL files it runs. */

import {
  DuckDBInstance,
  type DuckDBValue,
  type DuckDBVector,
  type JS,
} from "@duckdb/node-api";

/** What DuckDB may use. */
export interface DatabaseLimits {
  /** Such as `600MB`; what does not fit is spilled to the folder. */
  readonly memory_limit: string;
  readonly threads: number;
}

/** A row of an answer, by column name. */
export type Row = Record<string, JS>;

/** Some rows of an answer, by column. */
export interface Chunk {
  readonly rows: number;
  readonly vectors: readonly DuckDBVector[];
}

/** An open database: one instance and its connection. */
export interface Database {
  /** Runs SQL text composed by this program. */
  run(sql: string): Promise<Row[]>;
  /** Runs `sql/{name}.sql`; `values` are its params. */
  runFile(name: string, values?: Record<string, DuckDBValue>): Promise<Row[]>;
  /** Runs `sql/{name}.sql` and answers its rows by position. */
  queryRows(name: string, values: Record<string, DuckDBValue>): Promise<JS[][]>;
  /** Runs `sql/{name}.sql` and yields its rows as they come. */
  stream(name: string): AsyncGenerator<Chunk>;
  close(): void;
}

/**
 * Opens a new database in `folder`. Its SQL reads and writes below `folder` only;
 * no setting can be changed and no extension loaded afterwards.
 */
export async function openDatabase(
  folder: string,
  { memory_limit, threads }: DatabaseLimits,
): Promise<Database> {
  const instance = await DuckDBInstance.create(`${folder}/tally.duckdb`, {
    memory_limit,
    threads: String(threads),
    temp_directory: `${folder}/spill`,
  });
  const connection = await instance.connect();

  const texts = new Map<string, Promise<string>>();
  const textOf = (name: string) =>
    texts.get(name) ?? texts.set(name, readSql(name)).get(name)!;

  async function run(
    sql: string,
    values?: Record<string, DuckDBValue>,
  ): Promise<Row[]> {
    const result = await connection.run(sql, values);
    return result.getRowObjectsJS();
  }
  const database: Database = {
    run: (sql) => run(sql),
    runFile: async (name, values) => run(await textOf(name), values),
    queryRows: async (name, values) => {
      const result = await connection.run(await textOf(name), values);
      return result.getRowsJS();
    },
    async *stream(name) {
      for await (const chunk of await connection.stream(await textOf(name))) {
        yield {
          rows: chunk.rowCount,
          vectors: Array.from(
            { length: chunk.columnCount },
            (_, column) => chunk.getColumnVector(column),
          ),
        };
      }
    },
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
  try {
    await run(`set allowed_directories = ['${folder.replaceAll("'", "''")}/'];
      set enable_external_access = false;
      set autoload_known_extensions = false;
      set autoinstall_known_extensions = false;
      set allow_community_extensions = false;
      set lock_configuration = true`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** The text of `sql/{name}.sql`. */
export function readSql(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`../../sql/${name}.sql`, import.meta.url));
}
