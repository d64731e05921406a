/** Turns rows into columns of a bounded number of cells, as columnar formats want them. */

import type { Cell, Rows } from "../../db/model/questions.ts";

/** Some rows of an answer, a column each. */
export interface ColumnCells {
  readonly length: number;
  /** In the order of the columns; each has `length` cells. */
  readonly columns: readonly (readonly Cell[])[];
}

/**
 * Cells that are encoded in one go: more make smaller files, but nobody else is
 * answered meanwhile; these take 37 to 61 ms.
 */
const CELLS = 250_000;

/** Yields the rows in groups, each of as many as give `CELLS`, the last of fewer. */
export async function* columnCells(
  { columns, batches }: Rows,
): AsyncGenerator<ColumnCells> {
  const most = Math.max(1, Math.floor(CELLS / Math.max(1, columns.length)));
  const empty = () => columns.map((): Cell[] => []);
  let group = empty();
  let length = 0;
  for await (const rows of batches) {
    for (const row of rows) {
      for (let column = 0; column < group.length; column++) {
        group[column].push(row[column]);
      }
      if (++length < most) continue;
      yield { length, columns: group };
      group = empty();
      length = 0;
    }
  }
  if (length > 0) yield { length, columns: group };
}
