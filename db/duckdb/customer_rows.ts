/** Counts the rows of a customer in the Parquet files of a kept version, without opening it as a snapshot. */

import type { CustomerOfVersion, TableRows } from "../refresh/erasure.ts";
import type { Database } from "./database.ts";

/** The tables that the others with customers are made of. */
const TABLES = ["customers", "interactions"];

/**
 * Counts a customer's rows in the tables that lie in `folder`, which `database` may
 * read; tables without any are left out. Throws where a file is missing or damaged.
 */
export async function countCustomerRows(
  database: Database,
  folder: string,
  { id, ids }: CustomerOfVersion,
): Promise<TableRows[]> {
  const fileOf = (table: string) => `${folder}/${table}.parquet`;
  const found: TableRows[] = [];
  let customer_id: bigint;
  if (ids === "text") {
    const ranks = await database.runFile("erase/rank_of_id", {
      file: fileOf("ids"),
      id,
    });
    if (ranks.length === 0) return [];
    found.push({ table: "ids", rows: ranks.length });
    customer_id = ranks[0].customer_id as bigint;
  } else customer_id = BigInt(id);
  for (const table of TABLES) {
    const [{ rows }] = await database.runFile("erase/customer_rows", {
      file: fileOf(table),
      customer_id,
    });
    if (rows) found.push({ table, rows: Number(rows) });
  }
  return found;
}
