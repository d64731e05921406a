/** Reads some rows of a Parquet file as texts, for drafting a mapping. */

import type {
  NativeType,
  ParquetRows,
  Share,
} from "../suggest/sample_files.ts";
import {
  type Database,
  type DatabaseLimits,
  openDatabase,
  quoteText,
  resourceProblem,
} from "./database.ts";
import { refused } from "../model/problems.ts";
import { lengthOf } from "../suggest/sample.ts";

/** A reader of Parquet files. */
export interface ParquetSampler extends AsyncDisposable {
  /** The first rows of the file at `path`. Throws a refusal when it is not sound, or when memory or a disk is short. */
  read(path: string, share: Share): Promise<ParquetRows>;
}

const CELL_LENGTH = 500;

function nativeType(type: string): NativeType {
  return /^(STRUCT|MAP|UNION)|\]$/.test(type)
    ? "nested"
    : type === "DATE"
    ? "day"
    : type === "TIMESTAMP WITH TIME ZONE"
    ? "moment"
    : type.startsWith("TIMESTAMP")
    ? "local_time"
    : "text";
}

async function firstRows(
  database: Database,
  { from, max_rows, max_length }: Share & { readonly from: string },
): Promise<Pick<ParquetRows, "rows" | "is_whole">> {
  // By position: an object has names such as 2024 before all others. Without a limit in the
  // SQL, for which DuckDB would have all these rows in memory.
  const batches = database.streamRows({
    sql: `select left(columns(*)::varchar, ${CELL_LENGTH}) from ${from}`,
  });
  const rows: string[][] = [];
  let length = 0;
  try {
    for await (const batch of batches) {
      for (const row of batch) {
        if (rows.length >= max_rows || length >= max_length) {
          return { rows, is_whole: false };
        }
        const cells = row.map((value) => String(value ?? ""));
        rows.push(cells);
        length += lengthOf(cells);
      }
    }
  } catch (error) {
    // Of a damaged file, what is there shows its columns as well.
    if (rows.length === 0) throw error;
    return { rows, is_whole: false };
  }
  return { rows, is_whole: true };
}

/** Opens a database in `folder` that may read `data_dir` as well. */
export async function openParquetSampler(
  folder: string,
  { data_dir, ...limits }: DatabaseLimits & { readonly data_dir: string },
): Promise<ParquetSampler> {
  const database = await openDatabase(folder, {
    ...limits,
    also_reads: [data_dir],
  });
  return {
    async read(path, share) {
      const from = `read_parquet(${quoteText(path)}, binary_as_string = true)`;
      try {
        const columns = await database.run(`describe select * from ${from}`);
        const names = columns.map(({ column_name }) => String(column_name));
        return {
          names,
          types: columns.map(({ column_type }) => nativeType(`${column_type}`)),
          ...await firstRows(database, { from, ...share }),
        };
      } catch (error) {
        throw resourceProblem(error) ?? refused({
          file: path.slice(path.lastIndexOf("/") + 1),
          problem: `not a sound Parquet file: ${
            (error as Error).message.split("\n")[0].slice(0, 200)
          }`,
          remedy: "Export it again",
        });
      }
    },
    // deno-lint-ignore require-await -- what goes away with its block may take time
    async [Symbol.asyncDispose]() {
      database.close();
    },
  };
}
