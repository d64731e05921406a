/** Reads a delimited text's structure: its header, its delimiter, and whether its quotes and line ends are sound. */

import { type HeaderMatch, matchHeader, type Table } from "./contract.ts";

/** The delimiters an export may use; the first that makes the header match is taken. */
export const DELIMITERS = [",", ";", "\t", "|"] as const;

/** The header of a delimited text. */
export interface Header {
  readonly delimiter: string;
  readonly names: readonly string[];
  readonly match: HeaderMatch;
}

/** Reads the first record of `text`; the delimiter is the one that makes most required columns match. */
export function readHeader(table: Table, text: string): Header {
  const candidates = DELIMITERS.map((delimiter): Header => {
    const names = firstRecord(text, delimiter);
    return { delimiter, names, match: matchHeader(table, names) };
  });
  return candidates.reduce((best, one) =>
    one.match.missing.length < best.match.missing.length ||
      one.match.missing.length === best.match.missing.length &&
        best.match.missing.length > 0 && one.names.length > best.names.length
      ? one
      : best
  );
}

function firstRecord(text: string, delimiter: string): string[] {
  const cell = /\s*"((?:[^"]|"")*)"[^\S\r\n]*|([^\r\n]*?)/.source;
  const end = delimiter === "|" ? "\\|" : delimiter;
  const pattern = new RegExp(`(?:${cell})(${end}|\r\n|\r|\n|$)`, "y");
  const names: string[] = [];
  for (;;) {
    const found = pattern.exec(text);
    if (!found) return names;
    const [, quoted, plain, stop] = found;
    names.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (stop !== delimiter) return names;
  }
}

/** What is wrong with a text's structure, and at which byte. */
export interface StructureProblem {
  readonly offset: number;
  readonly problem: string;
  readonly remedy: string;
}

// What a byte is to the structure.
const [OTHER, QUOTE, DELIMITER, LF, CR, SPACE] = [0, 1, 2, 3, 4, 5];
const CLASSES = 8;

// Where in a cell the reader is; AFTER_CR is the start of a cell after a bare CR.
const [START, PLAIN, QUOTED, QUOTE_IN_QUOTED, CLOSED, AFTER_CR] = [
  0,
  1,
  2,
  3,
  4,
  5,
];

// Set in a transition that more than the state depends on.
const EVENT = 0x80;

const TRANSITIONS = (() => {
  const next = new Uint8Array(6 * CLASSES);
  const set = (state: number, ...to: number[]) =>
    to.forEach((value, byte_class) =>
      next[state * CLASSES + byte_class] = value
    );
  // In the order of the classes: other, quote, delimiter, LF, CR, space.
  set(START, PLAIN, EVENT | QUOTED, START, START, AFTER_CR, START);
  set(PLAIN, PLAIN, PLAIN, START, START, AFTER_CR, PLAIN);
  set(
    QUOTED,
    QUOTED,
    QUOTE_IN_QUOTED,
    QUOTED,
    EVENT | QUOTED,
    EVENT | QUOTED,
    QUOTED,
  );
  set(QUOTE_IN_QUOTED, EVENT | PLAIN, QUOTED, START, START, AFTER_CR, CLOSED);
  set(CLOSED, EVENT | PLAIN, EVENT | PLAIN, START, START, AFTER_CR, CLOSED);
  set(
    AFTER_CR,
    EVENT | PLAIN,
    EVENT | QUOTED,
    EVENT | START,
    START,
    EVENT | AFTER_CR,
    EVENT | START,
  );
  return next;
})();

/**
 * Checks bytes of UTF-8 text for what DuckDB's reader would silently misread: a
 * quote that is never closed, text after a closing quote, and line ends of which
 * only some are a bare CR. Feed every chunk, then read `problem`.
 */
export class CsvScanner {
  /** Whether a quoted cell has a line break in it. */
  quoted_line_breaks = false;
  #state = START;
  #offset = 0;
  #opened = 0;
  #garbage: number | undefined;
  #bare_cr: number | undefined;
  #has_lf = false;
  readonly #classes = new Uint8Array(256);

  constructor(delimiter: string) {
    this.#classes[0x22] = QUOTE;
    this.#classes[0x0a] = LF;
    this.#classes[0x0d] = CR;
    this.#classes[0x20] = SPACE;
    this.#classes[delimiter.charCodeAt(0)] = DELIMITER;
  }

  /** The first problem of what was fed, were it the whole text. */
  get problem(): StructureProblem | undefined {
    if (this.#garbage !== undefined) {
      return {
        offset: this.#garbage,
        problem: "a quoted cell that goes on after its closing quote",
        remedy: 'Write a quote inside a quoted cell twice, as ""',
      };
    }
    if (this.#state === QUOTED) {
      return {
        offset: this.#opened,
        problem: "a quote that is never closed",
        remedy: "Export the file again, whole and with every quote closed",
      };
    }
    const bare_cr = this.#bare_cr ??
      (this.#state === AFTER_CR ? this.#offset - 1 : undefined);
    if (bare_cr !== undefined && this.#has_lf) {
      return {
        offset: bare_cr,
        problem: "a line that ends in CR where others end in LF or CRLF",
        remedy: "Export the file again with one kind of line end",
      };
    }
    return undefined;
  }

  feed(chunk: Uint8Array): void {
    this.#has_lf ||= chunk.includes(0x0a);
    // Most exports have neither a quote nor a CR: four bytes at a time is seven
    // times as fast as one.
    if (this.#state <= PLAIN && !hasQuoteOrCr(chunk)) this.#skip(chunk);
    else this.#read(chunk);
    this.#offset += chunk.length;
  }

  #skip(chunk: Uint8Array): void {
    let last = chunk.length - 1;
    while (last >= 0 && chunk[last] === 0x20) last--;
    if (last < 0) return;
    const byte_class = this.#classes[chunk[last]];
    this.#state = byte_class === OTHER ? PLAIN : START;
  }

  #read(chunk: Uint8Array): void {
    const classes = this.#classes;
    let state = this.#state;
    for (let i = 0; i < chunk.length; i++) {
      const next = TRANSITIONS[state * CLASSES + classes[chunk[i]]];
      if (next & EVENT) this.#note(state, next ^ EVENT, this.#offset + i);
      state = next & ~EVENT;
    }
    this.#state = state;
  }

  #note(state: number, next: number, offset: number): void {
    if (state === AFTER_CR) this.#bare_cr ??= offset - 1;
    if (state === QUOTED) this.quoted_line_breaks = true;
    else if (next === QUOTED) this.#opened = offset;
    if (state === QUOTE_IN_QUOTED || state === CLOSED) {
      this.#garbage ??= this.#opened;
    }
  }
}

function hasQuoteOrCr(bytes: Uint8Array): boolean {
  const head = Math.min((4 - bytes.byteOffset % 4) % 4, bytes.length);
  const words = (bytes.length - head) >> 2;
  const tail = head + words * 4;
  for (let i = 0; i < head; i++) if (isQuoteOrCr(bytes[i])) return true;
  for (let i = tail; i < bytes.length; i++) {
    if (isQuoteOrCr(bytes[i])) return true;
  }
  const view = new Uint32Array(bytes.buffer, bytes.byteOffset + head, words);
  for (let i = 0; i < words; i++) {
    // A byte of x is zero where (x - 0x01…) & ~x has its high bit set.
    const quote = view[i] ^ 0x22222222;
    const cr = view[i] ^ 0x0d0d0d0d;
    const zeros = ((quote - 0x01010101) & ~quote) | ((cr - 0x01010101) & ~cr);
    if (zeros & 0x80808080) return true;
  }
  return false;
}

function isQuoteOrCr(byte: number): boolean {
  return byte === 0x22 || byte === 0x0d;
}
