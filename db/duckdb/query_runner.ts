/** Runs queries for requests, each on a connection of its own that an AbortSignal interrupts. */

import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBResult,
  DuckDBValue,
  DuckDBVector,
} from "@duckdb/node-api";
import type { Cell } from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import { StoreError } from "../model/problems.ts";
import {
  type Database,
  diskProblem,
  interruptible,
  isOutOfMemory,
  requireWhole,
} from "./database.ts";
import { bindValues, createChunkReader } from "./native_values.ts";

/** Runs queries on one database. */
export class QueryRunner {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Runs `sql`, the text of one statement, and yields its rows in batches, with cells
   * by position. The statement selects text, enums and numbers only, and casts
   * everything else. It starts when the first batch is read. The connection is
   * held until the reader has read the last batch or returned; no other query of `run`
   * begins before. Throws the signal's reason when that is aborted.
   */
  async *query(
    sql: string,
    { values, run }: {
      readonly values: Record<string, DuckDBValue>;
      readonly run: Run;
    },
  ): AsyncGenerator<Cell[][]> {
    using _ = run.startQuery();
    const { signal } = run;
    const connection = await this.#database.connect();
    const ended = { connection, signal };
    let result: DuckDBResult | null = null;
    let is_whole = false;
    try {
      result = await interruptible(
        () => stream(connection, { sql, values }),
        ended,
      );
      const batches = new Batches(result);
      for (;;) {
        const chunk = await interruptible(() => result!.fetchChunk(), ended);
        if (!chunk || chunk.rowCount === 0) break;
        for (const rows of batches.of(chunk)) {
          yield rows;
          await run.pause();
        }
      }
      requireWhole(result);
      is_whole = true;
    } catch (error) {
      throw questionError(error);
    } finally {
      if (is_whole) this.#database.giveBack(connection);
      else {
        // A result that is not read to its end keeps its memory, hundreds of MB
        // after a sort, until it is collected, even when its connection is closed:
        // only another statement ends it.
        if (result) await connection.run("select 1").catch(() => {});
        // Not given back: an interrupt may still come.
        connection.closeSync();
      }
    }
  }
}

/** Starts a statement, whose rows come as they are read. */
async function stream(
  connection: DuckDBConnection,
  { sql, values }: {
    readonly sql: string;
    readonly values: Record<string, DuckDBValue>;
  },
): Promise<DuckDBResult> {
  const statement = await connection.prepare(sql);
  try {
    bindValues(statement, values);
    return await statement.stream();
  } finally {
    statement.destroySync();
  }
}

/** The error of a question for an error of DuckDB, which is a StoreError where memory or a disk would prevent it. */
export function questionError(error: unknown): unknown {
  if (!isOutOfMemory(error)) return diskProblem(error) ?? error;
  // Others that run at the same time may have the rest, so it may succeed later.
  return new StoreError(
    "busy",
    "DuckDB has too little memory for this question (DUCKDB_MEMORY_LIMIT). Ask again in a moment, or for less.",
    { retry_seconds: 5 },
  );
}

/** Cells, and characters of texts, of a batch at most, about: 2 ms of work. */
const BATCH_CELLS = 20_000;
const BATCH_CHARACTERS = 500_000;

// A chunk of 1,000 columns has 2 M cells, which would hold up all else for 0.2 s.
// Column by column takes a tenth less time than row by row.
class Batches {
  readonly #columns: number;
  readonly #vectorsOf: ReturnType<typeof createChunkReader>;
  #most: number;

  constructor(result: DuckDBResult) {
    this.#columns = result.columnCount;
    this.#vectorsOf = createChunkReader(result);
    this.#most = Math.max(1, Math.floor(BATCH_CELLS / this.#columns));
  }

  *of(chunk: DuckDBDataChunk): Generator<Cell[][]> {
    const { rowCount } = chunk;
    const vectors = this.#vectorsOf(chunk);
    for (let start = 0; start < rowCount;) {
      const end = Math.min(start + this.#most, rowCount);
      yield this.#read(vectors, { start, end });
      start = end;
    }
  }

  #read(
    vectors: readonly DuckDBVector[],
    { start, end }: { readonly start: number; readonly end: number },
  ): Cell[][] {
    const rows = Array.from(
      { length: end - start },
      (): Cell[] => new Array(this.#columns),
    );
    let characters = 0;
    for (const [column, vector] of vectors.entries()) {
      for (let row = start; row < end; row++) {
        const value = vector.getItem(row);
        // Ids and counts end at 2^53-1.
        rows[row - start][column] = typeof value === "bigint"
          ? Number(value)
          : value as Cell;
        if (typeof value === "string") characters += value.length;
      }
    }
    if (characters > BATCH_CHARACTERS) {
      const share = BATCH_CHARACTERS / characters;
      this.#most = Math.max(1, Math.floor(rows.length * share));
    }
    return rows;
  }
}
