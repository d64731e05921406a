/** A JSON object a line: the rows of the JSON answer, however many. */

import type { Rows } from "../../db/model/questions.ts";
import { createRowText } from "../json_text.ts";

/** Writes rows, a piece a batch. */
export async function* encodeNdjson(
  rows: Rows,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const rowText = createRowText(rows);
  for await (const batch of rows.batches) {
    yield encoder.encode(batch.map((row) => `${rowText(row)}\n`).join(""));
  }
}
