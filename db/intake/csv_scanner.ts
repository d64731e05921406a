/** Reads a delimited text's structure: its header, its delimiter, and whether its quotes and line ends are sound. */

import {
  type HeaderMatch,
  matchHeader,
  type Table,
} from "../model/contract.ts";

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
  const cell = / *"((?:[^"]|"")*)" *|([^\r\n]*?)/.source;
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

/** An error in the structure of a text, with the position of its byte. */
export interface StructureProblem {
  readonly offset: number;
  readonly problem: string;
  readonly remedy: string;
}

// Classes of bytes by their part in the structure; the first line feed is its own class.
const [OTHER, QUOTE, DELIMITER, LF, CR, SPACE, FIRST_LF] = [
  0,
  1,
  2,
  3,
  4,
  5,
  6,
];
const CLASSES = 8;

// The state of the scanner within a cell. AFTER_CR is the start of a cell after a CR that
// may be bare; the first four are outside of quotes and line ends.
const [START, ONE_SPACE, SPACES, PLAIN] = [0, 1, 2, 3];
const [QUOTED, QUOTE_IN_QUOTED, CLOSED, AFTER_CR] = [4, 5, 6, 7];

// The bit of a transition that the scanner has to record.
const EVENT = 0x80;

const TRANSITIONS = (() => {
  const table = new Uint8Array(8 * CLASSES);
  const set = (state: number, next: number[]) =>
    table.set(next, state * CLASSES);
  const first_lf = EVENT | START;
  // By class: other, quote, delimiter, LF, CR, space, first LF.
  set(START, [
    PLAIN,
    EVENT | QUOTED,
    START,
    START,
    AFTER_CR,
    ONE_SPACE,
    first_lf,
  ]);
  set(ONE_SPACE, [
    PLAIN,
    EVENT | QUOTED,
    START,
    START,
    AFTER_CR,
    SPACES,
    first_lf,
  ]);
  set(SPACES, [PLAIN, EVENT | PLAIN, START, START, AFTER_CR, SPACES, first_lf]);
  set(PLAIN, [PLAIN, PLAIN, START, START, AFTER_CR, PLAIN, first_lf]);
  const in_quotes = EVENT | QUOTED;
  set(QUOTED, [
    QUOTED,
    QUOTE_IN_QUOTED,
    QUOTED,
    in_quotes,
    in_quotes,
    QUOTED,
    in_quotes,
  ]);
  const after_quote = [START, START, AFTER_CR, CLOSED, first_lf];
  set(QUOTE_IN_QUOTED, [EVENT | PLAIN, QUOTED, ...after_quote]);
  set(CLOSED, [EVENT | PLAIN, EVENT | PLAIN, ...after_quote]);
  const bare = [PLAIN, QUOTED, START].map((state) => EVENT | state);
  set(AFTER_CR, [
    ...bare,
    START,
    EVENT | AFTER_CR,
    EVENT | ONE_SPACE,
    first_lf,
  ]);
  return table;
})();

/**
 * Finds errors in UTF-8 text that DuckDB's reader would silently misread: a
 * quote that is never closed, text after a closing quote, a quote after several
 * spaces, and line ends of which only some are a bare CR. Feed every chunk, then read `problem`.
 */
export class CsvScanner {
  /** Whether a quoted cell has a line break in it. */
  quoted_line_breaks = false;
  #state = START;
  #offset = 0;
  #opened = 0;
  #garbage: number | undefined;
  #quote_after_spaces: number | undefined;
  #bare_cr: number | undefined;
  readonly #classes = new Uint8Array(256);

  constructor(delimiter: string) {
    this.#classes[0x22] = QUOTE;
    this.#classes[0x0a] = FIRST_LF;
    this.#classes[0x0d] = CR;
    this.#classes[0x20] = SPACE;
    this.#classes[delimiter.charCodeAt(0)] = DELIMITER;
  }

  /** The first problem, if the chunks so far are the whole text. */
  get problem(): StructureProblem | undefined {
    if (this.#garbage !== undefined) {
      return {
        offset: this.#garbage,
        problem: "a quoted cell that goes on after its closing quote",
        remedy: 'Write a quote inside a quoted cell twice, as ""',
      };
    }
    if (this.#quote_after_spaces !== undefined) {
      return {
        offset: this.#quote_after_spaces,
        problem: "a quote after several spaces",
        remedy: "Begin a quoted cell with its quote",
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
    if (bare_cr !== undefined && this.#classes[0x0a] === LF) {
      return {
        offset: bare_cr,
        problem: "a line that ends in CR where others end in LF or CRLF",
        remedy: "Export the file again with one kind of line end",
      };
    }
    return undefined;
  }

  feed(chunk: Uint8Array): void {
    // Most exports have neither a quote nor a CR: four bytes at a time is seven
    // times as fast as one.
    const last = chunk[chunk.length - 1];
    const plain = this.#state <= PLAIN && last !== 0x20 &&
      !hasQuoteOrCr(chunk);
    if (plain) this.#skip(chunk, last);
    else this.#read(chunk);
    this.#offset += chunk.length;
  }

  #skip(chunk: Uint8Array, last: number | undefined): void {
    if (last === undefined) return;
    if (this.#classes[0x0a] === FIRST_LF && chunk.includes(0x0a)) {
      this.#classes[0x0a] = LF;
    }
    this.#state = this.#classes[last] === OTHER ? PLAIN : START;
  }

  #read(chunk: Uint8Array): void {
    const classes = this.#classes;
    let state = this.#state;
    for (let i = 0; i < chunk.length; i++) {
      const byte_class = classes[chunk[i]];
      const next = TRANSITIONS[state * CLASSES + byte_class];
      if (next & EVENT) {
        this.#note(state, next ^ EVENT, byte_class, this.#offset + i);
      }
      state = next & ~EVENT;
    }
    this.#state = state;
  }

  #note(state: number, next: number, byte_class: number, offset: number): void {
    if (state === QUOTED) this.quoted_line_breaks = true;
    else if (byte_class === FIRST_LF) this.#classes[0x0a] = LF;
    else if (state === AFTER_CR) this.#bare_cr ??= offset - 1;

    if (state === QUOTE_IN_QUOTED || state === CLOSED) {
      if (byte_class !== FIRST_LF) this.#garbage ??= this.#opened;
    } else if (state === SPACES && byte_class === QUOTE) {
      this.#quote_after_spaces ??= offset;
    } else if (state !== QUOTED && next === QUOTED) this.#opened = offset;
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
  if (words === 0) return false;
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
