/** Makes UTF-8 of text in any encoding, and finds which one it is. */

import { isAscii, isUtf8 } from "node:buffer";
import { joinBytes } from "../model/bytes.ts";
import { VALUELESS } from "./csv_scanner.ts";
import { wordsOf } from "./words.ts";

/** Text that is not UTF-8, as far as its bytes tell. */
export class NotUtf8 extends Error {}

/** UTF-8 that was made of a chunk of text. */
export interface Transcoded {
  readonly bytes: Uint8Array;
  /** Where a U+FFFD stands for a byte that is not UTF-8, in ascending order. */
  readonly replaced: readonly number[];
}

/** Bytes at the start of a text by which UTF-16 is told. */
const SNIFF_BYTES = 1_024;
/**
 * So many more broken bytes than characters, and a text is not UTF-8 whatever
 * follows: else a large file would be read to its end before it is read again.
 */
const MAX_BROKEN_AHEAD = 1_000;
const REPLACEMENT = [0xef, 0xbf, 0xbd];
const NONE: readonly number[] = [];

/**
 * Makes UTF-8 without a byte order mark of text that is UTF-8, UTF-16, or `fallback`.
 * UTF-8 is a text that begins with its mark, has no broken byte, or has more valid
 * sequences of several bytes than broken bytes; each of these becomes U+FFFD.
 */
export class Transcoder {
  encoding = "utf-8";
  #decoder: TextDecoder | undefined;
  #started = false;
  #marked = false;
  #pending = new Uint8Array();
  /** Sequences of several bytes, and bytes that are part of none. */
  #valid = 0;
  #broken = 0;

  constructor(readonly fallback: string | null) {}

  /** Whether the text fed so far is not UTF-8, though what follows may show that it is. */
  get is_doubtful(): boolean {
    return !this.#marked && this.#broken > 0 && this.#broken >= this.#valid;
  }

  /** Throws NotUtf8 when there is no fallback, and the text is neither UTF-8 nor UTF-16. */
  feed(chunk: Uint8Array, last: boolean): Transcoded {
    let bytes = this.#pending.length
      ? joinBytes([this.#pending, chunk])
      : chunk;
    if (!this.#started) {
      if (bytes.length < SNIFF_BYTES && !last) return this.#keep(bytes, 0);
      this.#started = true;
      bytes = this.#start(bytes);
    }
    if (this.#decoder) {
      this.#pending = new Uint8Array();
      const text = this.#decoder.decode(bytes, { stream: !last });
      return { bytes: new TextEncoder().encode(text), replaced: NONE };
    }
    const whole = last ? bytes.length : wholeCharacters(bytes);
    const text = bytes.subarray(0, whole);
    const transcoded = this.#check(text);
    if (last) this.#decide();
    this.#keep(bytes, whole);
    return transcoded;
  }

  #start(bytes: Uint8Array): Uint8Array {
    const [a, b, c] = bytes;
    if (a === 0xff && b === 0xfe) this.encoding = "utf-16le";
    else if (a === 0xfe && b === 0xff) this.encoding = "utf-16be";
    else if (a === 0xef && b === 0xbb && c === 0xbf) {
      this.#marked = true;
      bytes = bytes.subarray(3);
    } else {
      this.encoding = unmarkedUtf16(bytes) ??
        (this.fallback ? new TextDecoder(this.fallback).encoding : "utf-8");
    }
    if (this.encoding !== "utf-8") {
      this.#decoder = new TextDecoder(this.encoding);
    }
    return bytes;
  }

  #check(text: Uint8Array): Transcoded {
    if (isAscii(text)) return { bytes: text, replaced: NONE };
    if (isUtf8(text)) {
      this.#valid += countLeads(text);
      return { bytes: text, replaced: NONE };
    }
    return this.#repair(text);
  }

  // Decides by the position in the text, not by what a chunk happens to hold.
  #repair(text: Uint8Array): Transcoded {
    // A byte becomes three.
    const bytes = new Uint8Array(3 * text.length);
    const replaced: number[] = [];
    let length = 0;
    for (let i = 0; i < text.length;) {
      const size = characterSize(text, i);
      if (size > 0) {
        if (size > 1) this.#valid++;
        for (const end = i + size; i < end; i++) bytes[length++] = text[i];
        continue;
      }
      this.#broken++;
      if (this.#broken - this.#valid >= MAX_BROKEN_AHEAD) this.#decide();
      replaced.push(length);
      bytes.set(REPLACEMENT, length);
      length += 3;
      i++;
    }
    return { bytes: bytes.subarray(0, length), replaced };
  }

  #decide(): void {
    if (this.is_doubtful) throw new NotUtf8();
  }

  #keep(bytes: Uint8Array, from: number): Transcoded {
    this.#pending = bytes.slice(from);
    return { bytes: new Uint8Array(), replaced: NONE };
  }
}

/**
 * The form of UTF-16 that a text without a mark begins in: in its first line with a
 * name, a quarter of the characters or more are ASCII with a zero byte beside them,
 * always on the same side, and no character is zero.
 */
function unmarkedUtf16(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, SNIFF_BYTES) & ~1;
  for (const low of [0, 1]) {
    let units = 0;
    let ascii = 0;
    let zeros = 0;
    let first_line = true;
    for (let i = 0; i < length; i += 2) {
      const unit = bytes[i + low] | bytes[i + 1 - low] << 8;
      if (unit === 0) zeros++;
      if (unit === 0x0a || unit === 0x0d) first_line &&= units === 0;
      else if (first_line && !VALUELESS.has(unit)) {
        units++;
        if (unit < 0x80) ascii++;
      }
    }
    if (zeros === 0 && units >= 2 && ascii >= units / 4) {
      return low === 0 ? "utf-16le" : "utf-16be";
    }
  }
  return undefined;
}

/** The bytes of the character at `at`, or 0 when there is none. */
function characterSize(text: Uint8Array, at: number): number {
  const lead = text[at];
  if (lead < 0x80) return 1;
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  const whole = size > 0 && isUtf8(text.subarray(at, at + size)) &&
    at + size <= text.length;
  return whole ? size : 0;
}

/** The number of sequences of several bytes in UTF-8, four bytes at a time. */
function countLeads(bytes: Uint8Array): number {
  const { words, head, tail } = wordsOf(bytes);
  let count = 0;
  for (let i = 0; i < head; i++) if (bytes[i] >= 0xc0) count++;
  for (let i = tail; i < bytes.length; i++) if (bytes[i] >= 0xc0) count++;
  for (const word of words) {
    // The two highest bits of a lead are set.
    const leads = word & (word << 1) & 0x80808080;
    if (leads !== 0) count += Math.imul(leads >>> 7, 0x01010101) >>> 24;
  }
  return count;
}

/** How many of `bytes` are whole UTF-8 characters, if they are UTF-8 at all. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
