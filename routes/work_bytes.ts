/** How much memory an answer takes at most while it is made, about: by its rows, its columns and the length of their names. */

import { columnsOf, type Question } from "../db/model/questions.ts";
import type { Snapshot } from "../db/store.ts";
import { MAX_JSON_BYTES } from "./json_body.ts";
import { createLeastBytes } from "./json_text.ts";
import { mostRows, type Read, rowsAtMost } from "./read_rows.ts";

/** Rows, text, encoded and compressed bytes of a JSON answer are there at once. */
const COPIES = 4;
/** Cells of a download that are there at once: a group of rows, as the formats write it. */
const LEAST_CELLS = 250_000;
const LEAST_ROWS = 2_000;
/** The bytes that each of them takes, as it is read and as it is written. */
const CELL_BYTES = 64;

/** Of a JSON answer. */
export function jsonBytes(snapshot: Snapshot, reads: readonly Read[]): number {
  const bytes = reads.map((read) =>
    Math.min(mostRows(read), rowsAtMost(snapshot, read.question)) *
    createLeastBytes(columnsOf(read.question, snapshot))([])
  );
  const sum = bytes.reduce((sum, one) => sum + one, 0);
  return COPIES * Math.min(MAX_JSON_BYTES, sum);
}

/** Of a download, which is sent while it is made. */
export function downloadBytes(snapshot: Snapshot, question: Question): number {
  const { columns } = columnsOf(question, snapshot);
  return CELL_BYTES * Math.max(LEAST_CELLS, LEAST_ROWS * columns.length);
}
