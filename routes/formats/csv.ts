/** CSV by RFC 4180, harmless to spreadsheets. */

import type { Cell, Rows } from "../../db/model/questions.ts";

/** How a CSV is written. */
export interface CsvOptions {
  /** Whether a byte order mark comes first, by which Excel knows UTF-8. */
  readonly bom: boolean;
}

/** A text that a spreadsheet would run as a formula; some take the full-width forms too. */
const FORMULA = /^[=+\-@\t\n\r＝＋－＠]/;
const NEEDS_QUOTES = /[",\r\n]/;

/** Writes rows with a header, one piece per batch; a missing value is an empty cell. */
export async function* encodeCsv(
  { columns, batches }: Pick<Rows, "columns" | "batches">,
  { bom }: CsvOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const mark = bom ? "\ufeff" : "";
  yield encoder.encode(mark + line(columns.map(({ name }) => name)));
  for await (const rows of batches) {
    yield encoder.encode(rows.map(line).join(""));
  }
}

function line(row: readonly Cell[]): string {
  return `${row.map(cellText).join(",")}\r\n`;
}

function cellText(cell: Cell): string {
  if (typeof cell !== "string") return cell === null ? "" : String(cell);
  // Spreadsheets themselves mark a cell as text with an apostrophe.
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
