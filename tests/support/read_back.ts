/** Reads answers of every format with programs of others: DuckDB, Apache Arrow, a spreadsheet reader. */

import {
  DuckDBDateValue,
  DuckDBInstance,
  type DuckDBValue,
} from "@duckdb/node-api";
import { DataType, tableFromIPC } from "apache-arrow";
import readSheet from "read-excel-file/node";
import { Buffer } from "node:buffer";
import { dataFolder } from "./data_folder.ts";

/** The header, then the rows; a cell without a value is null. */
export type Grid = unknown[][];

/** Reads the bytes of a format. */
export type Read = (bytes: Uint8Array<ArrayBuffer>) => Promise<Grid>;

/** Reads CSV by RFC 4180: every cell is text. */
export const readCsv: Read = (bytes) =>
  readWithDuckdb(
    bytes,
    "read_csv('FILE', auto_detect = false, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"', new_line = '\\r\\n', columns = COLUMNS)",
  );

/** Reads Parquet; integers come as numbers, dates as texts. */
export const readParquet: Read = (bytes) =>
  readWithDuckdb(bytes, "read_parquet('FILE')");

/** Reads an Arrow IPC stream; integers come as numbers, dates as texts. */
export const readArrow: Read = (bytes) => {
  const table = tableFromIPC(bytes);
  const names = table.schema.fields.map(({ name }) => name);
  const dates = table.schema.fields.map(({ type }) => DataType.isDate(type));
  return Promise.resolve([
    names,
    ...Array.from(
      { length: table.numRows },
      (_, i) =>
        names.map((_, column) => {
          const value = table.getChildAt(column)!.get(i);
          return dates[column] && value !== null
            ? dayOf(new Date(value))
            : plain(value);
        }),
    ),
  ]);
};

/** Reads a spreadsheet; dates come as texts. */
export const readXlsx: Read = async (bytes) => {
  const [sheet] = await readSheet(Buffer.from(bytes));
  return (sheet.data as Grid).map((row) =>
    row.map((cell) => cell instanceof Date ? dayOf(cell) : cell)
  );
};

async function readWithDuckdb(
  bytes: Uint8Array,
  source: string,
): Promise<Grid> {
  await using folder = await dataFolder({ file: bytes });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    // The header alone tells the columns: there may be no rows.
    const header = new TextDecoder().decode(bytes).split("\r\n")[0];
    const columns = header.split(",").map((_, i) => `c${i}: 'varchar'`);
    const result = await connection.runAndReadAll(
      `from ${
        source.replace("FILE", `${folder.path}/file`)
          .replace("COLUMNS", `{${columns.join(", ")}}`)
      }`,
    );
    const rows = result.getRows().map((row) => row.map(plain));
    return [
      source.includes("read_csv") ? header.split(",") : result.columnNames(),
      ...rows,
    ];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function plain(value: DuckDBValue): unknown {
  if (value instanceof DuckDBDateValue) return value.toString();
  return typeof value === "bigint" ? Number(value) : value;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
