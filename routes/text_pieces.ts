/** Joins texts into pieces: large enough to encode at little cost, small enough that other requests do not wait. */

/** Characters of a piece at least: 0.1 ms of encoding. */
const PIECE_CHARACTERS = 65_536;

/** The same text in pieces. */
export function* inPieces(texts: Iterable<string>): Generator<string> {
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  if (piece) yield piece;
}
