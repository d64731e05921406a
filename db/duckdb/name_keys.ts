/** Notes by which keys names are compared, and how they are shown. */

import { listValue } from "@duckdb/node-api";
import { nameKey, shownName } from "../model/names.ts";
import type { ComposedSql, Database } from "./database.ts";

/** So many names are noted at once. */
const BATCH = 10_000;

/**
 * Computes the keys of the names that a statement lists, `sql/{name}.sql` or a
 * composed one, which are the distinct ones with other characters than ASCII, and notes them in `name_keys`.
 */
export async function foldNames(
  database: Database,
  query: string | ComposedSql,
): Promise<void> {
  const rows = typeof query === "string"
    ? await database.runFile(query)
    : await database.run(query.sql);
  // Without any, each look-up would be a join that is planned for nothing.
  if (rows.length > 0) await database.runFile("load/2_clean/fold_names");
  for (let at = 0; at < rows.length; at += BATCH) {
    const names = rows.slice(at, at + BATCH).map(({ name }) => name as string);
    await database.runFile("load/2_clean/name_keys", {
      names: listValue(names),
      keys: listValue(names.map(nameKey)),
      shown: listValue(names.map(shownName)),
    });
  }
}
