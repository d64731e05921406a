/** The body of a JSON answer: encodes its text within a limit of bytes, with pauses in which other requests are served. */

import { HTTPException } from "hono/http-exception";
import type { Run } from "../db/model/run.ts";
import { createPause } from "../db/model/pause.ts";
import type { JsonText } from "./json_text.ts";
import { inPieces } from "./text_pieces.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The largest JSON answer in bytes, before compression: 10,000 rows of 64 channels with
 * names of 40 letters. One took 1.4 s on a busy machine, and 50 to 120 MB meanwhile.
 */
export const MAX_JSON_BYTES = 33_554_432;

/** The refusal of a larger answer; `rows` is a number of its rows that already is too large. */
export function tooManyBytes(rows?: number): HTTPException {
  const most = `${MAX_JSON_BYTES / 1_048_576} MiB`;
  const fitting = rows === undefined
    ? ""
    : ` ${rows} rows of it are more than that.`;
  return new HTTPException(400, {
    message:
      `The answer has more than ${most}.${fitting} Ask for fewer rows or columns, or for format=csv or format=ndjson.`,
  });
}

/**
 * The bytes of a text, in pieces. Throws a 400 when they are more than
 * MAX_JSON_BYTES, and the reason of the run's signal when that is aborted.
 */
export async function encodeJson(text: JsonText, run: Run): Promise<Bytes[]> {
  const encoder = new TextEncoder();
  const pieces: Bytes[] = [];
  let bytes = 0;
  for (const part of inPieces(text)) {
    const piece = encoder.encode(part);
    bytes += piece.length;
    if (bytes > MAX_JSON_BYTES) throw tooManyBytes();
    pieces.push(piece);
    await run.pause();
  }
  return pieces;
}

/** Encodes a text while it is read, for answers that may be long and are not kept. */
export function streamJson(text: JsonText): ReadableStream<Bytes> {
  const pause = createPause();
  const encoder = new TextEncoder();
  return ReadableStream.from((async function* () {
    for (const part of inPieces(text)) {
      yield encoder.encode(part);
      await pause();
    }
  })());
}
