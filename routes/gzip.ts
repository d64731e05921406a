/** Compression of what is sent. */

import { parseAccept } from "hono/utils/accept";

/** Pieces, compressed; each is sent as soon as it is there. */
export function gzipped(
  pieces:
    | AsyncIterable<Uint8Array<ArrayBuffer>>
    | Iterable<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(pieces)
    .pipeThrough(new CompressionStream("gzip"));
}

/** Whether a client that sends this Accept-Encoding takes gzip. */
export function takesGzip(accept_encoding: string | null): boolean {
  if (accept_encoding === null) return false;
  return parseAccept(accept_encoding).some(({ type, q }) =>
    type.toLowerCase() === "gzip" && q > 0
  );
}
