/** Parquet files for tests, written by DuckDB from queries. */

import { DuckDBInstance } from "@duckdb/node-api";
import { dataFolder } from "./data_folder.ts";

/** Writes the rows of each query, by options of DuckDB; answers the files' bytes by name. */
export async function parquetFiles(
  queries: Readonly<Record<string, string>>,
  options = "format parquet",
): Promise<Record<string, Uint8Array>> {
  await using folder = await dataFolder();
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    await connection.run("set time zone 'UTC'");
    const files: Record<string, Uint8Array> = {};
    for (const [name, query] of Object.entries(queries)) {
      const path = `${folder.path}/file.parquet`;
      await connection.run(`copy (${query}) to '${path}' (${options})`);
      files[name] = await Deno.readFile(path);
    }
    return files;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
