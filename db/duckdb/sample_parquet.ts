/** Reads some rows of a Parquet file as texts, for drafting a mapping. */

import type { NativeType, ParquetRows } from "../suggest/sample_files.ts";
import { type DatabaseLimits, openDatabase, quoteText } from "./database.ts";
import { refused } from "../model/problems.ts";

/** A reader of Parquet files. */
export interface ParquetSampler extends AsyncDisposable {
  /** At most `rows` rows of the file at `path`. Throws a refusal when it is not sound. */
  read(path: string, rows: number): Promise<ParquetRows>;
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
    async read(path, rows) {
      const from = `read_parquet(${quoteText(path)}, binary_as_string = true)`;
      try {
        const columns = await database.run(`describe select * from ${from}`);
        const names = columns.map(({ column_name }) => String(column_name));
        // By position: an object has names such as 2024 before all others.
        const texts = database.streamRows({
          sql: `select left(columns(*)::varchar, ${CELL_LENGTH})
            from ${from} limit ${rows}`,
        });
        const read: string[][] = [];
        for await (const batch of texts) {
          for (const row of batch) {
            read.push(row.map((value) => String(value ?? "")));
          }
        }
        return {
          names,
          types: columns.map(({ column_type }) => nativeType(`${column_type}`)),
          rows: read,
        };
      } catch (error) {
        throw refused({
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
