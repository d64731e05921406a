/** Turns rows into columns of a bounded number of cells, as columnar formats want them. */

import type { Cell, Rows } from "../../db/model/questions.ts";

const DAY_MS = 86_400_000;

/** The days from 1970-01-01 to a date, as Parquet and Arrow have dates. */
export function daysOf(date: Cell): number | null {
  return date === null ? null : Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/** Rows of an answer, as one list of cells per column. */
export interface ColumnCells {
  readonly length: number;
  /** In the order of the columns; each has `length` cells. */
  readonly columns: readonly (readonly Cell[])[];
}

/** Cells of a group: more make smaller files, but take more memory. */
const CELLS = 250_000;
/** Rows of a group at least, so that a file of 1,000 columns has few groups to list. */
const LEAST_ROWS = 2_000;
/** Characters of the texts of a group, about: a column of them is encoded in 10 ms. */
const CHARACTERS = 2_000_000;

/**
 * Yields the rows in groups of `CELLS` cells, with at least `LEAST_ROWS` rows; a group
 * also ends after `CHARACTERS` characters. The last group may be smaller.
 */
export async function* columnCells(
  { columns, batches }: Rows,
): AsyncGenerator<ColumnCells> {
  const most = Math.max(
    LEAST_ROWS,
    Math.floor(CELLS / Math.max(1, columns.length)),
  );
  const empty = () => columns.map((): Cell[] => []);
  let group = empty();
  let length = 0;
  let characters = 0;
  for await (const rows of batches) {
    for (const row of rows) {
      for (let column = 0; column < group.length; column++) {
        const cell = row[column];
        group[column].push(cell);
        if (typeof cell === "string") characters += cell.length;
      }
      if (++length < most && characters < CHARACTERS) continue;
      yield { length, columns: group };
      group = empty();
      length = 0;
      characters = 0;
    }
  }
  if (length > 0) yield { length, columns: group };
}
