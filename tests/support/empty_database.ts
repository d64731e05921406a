/** A database without tables, in a folder of its own. */

import { type Database, openDatabase } from "../../db/duckdb/database.ts";
import { type DataFolder, dataFolder } from "./data_folder.ts";

/** Has `use` work on an empty database, whose folder is removed afterwards. */
export async function withEmptyDatabase(
  use: (database: Database, folder: DataFolder) => Promise<void>,
): Promise<void> {
  await using folder = await dataFolder();
  const database = await openDatabase(folder.path, {
    memory_limit: "600MB",
    threads: 2,
  });
  try {
    await use(database, folder);
  } finally {
    database.close();
  }
}
