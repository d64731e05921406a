/** One JSON object per line: the rows of the JSON answer, without its limit of rows. */

import type { Cell, Rows } from "../../db/model/questions.ts";
import { createRowText } from "../json_text.ts";
import { inPieces } from "../text_pieces.ts";

/** Writes rows. */
export async function* encodeNdjson(
  rows: Rows,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const rowText = createRowText(rows);
  const lines = function* (batch: readonly (readonly Cell[])[]) {
    for (const row of batch) yield `${rowText(row)}\n`;
  };
  for await (const batch of rows.batches) {
    for (const piece of inPieces(lines(batch))) {
      yield encoder.encode(piece);
      await rows.pause();
    }
  }
}
