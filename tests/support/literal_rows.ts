/** Rows of an answer from literals. */

import type { Cell, Rows, RowsColumn } from "../../db/model/questions.ts";

/** An answer with these columns and batches. */
export function literalRows(
  columns: readonly (readonly [string, RowsColumn["type"]])[],
  batches: readonly (readonly (readonly Cell[])[])[],
): Rows {
  return {
    columns: columns.map(([name, type]) => ({ name, type })),
    batches: (async function* () {
      yield* batches;
    })(),
    count: () =>
      Promise.resolve(batches.reduce((sum, { length }) => sum + length, 0)),
    pause: () => Promise.resolve(),
  };
}

/** The bytes of pieces, in order. */
export async function bytesOf(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(ReadableStream.from(pieces)).bytes();
}
