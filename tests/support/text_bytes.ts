/** Text as the bytes of an encoding; none puts a byte order mark by itself. */

/** The bytes of UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A byte a character, up to U+00FF. */
export function latin(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The bytes of UTF-16, the lower of each unit first; half pairs stay as they are. */
export function utf16le(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: 2 * text.length },
    (_, i) => text.charCodeAt(i >> 1) >> 8 * (i % 2),
  );
}

/** The bytes of UTF-16, the higher of each unit first. */
export function utf16be(text: string): Uint8Array<ArrayBuffer> {
  return utf16le(text).map((_, i, all) => all[i ^ 1]);
}
