/** Reads a delimited text's structure: its header, its delimiter, and whether its quotes and line ends are sound. */

import { joinBytes } from "../model/bytes.ts";
import {
  type HeaderMatch,
  matchHeader,
  type Table,
} from "../model/contract.ts";
import { RowNumbers } from "./row_numbers.ts";
import { wordsOf } from "./words.ts";

/** The delimiters an export may use; the first that makes the header match is taken. */
export const DELIMITERS = [",", ";", "\t", "|"] as const;

/** The header of a delimited text. */
export interface Header {
  readonly delimiter: string;
  readonly names: readonly string[];
  readonly match: HeaderMatch;
}

/**
 * Reads the first record of `text`; the delimiter is the one that makes most
 * required columns match, unless a line for Excel names it.
 */
export function readHeader(
  table: Table,
  text: string,
  { delimiter }: { delimiter?: string } = {},
): Header {
  const delimiters = delimiter === undefined ? DELIMITERS : [delimiter];
  const candidates = delimiters.map((delimiter): Header => {
    const names = recordAt(text, delimiter).cells;
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

/**
 * Whether the row below the header has one cell more, an empty one. A row that
 * is not there in whole has none.
 */
export function endsInDelimiter(text: string, header: Header): boolean {
  const { delimiter, names } = header;
  const first = recordAt(text, delimiter);
  const second = recordAt(text, delimiter, { start: first.end });
  return second.cells.length === names.length + 1 && second.ended &&
    second.cells.at(-1) === "";
}

/** The cells of the record of `text` that begins at `start`, and where the next one begins; `ended` is false where its quotes are not sound. */
export function recordAt(
  text: string,
  delimiter: string,
  { start = 0 }: { readonly start?: number } = {},
): { cells: string[]; end: number; ended: boolean } {
  const cell = / *"((?:[^"]|"")*)" *|([^\r\n]*?)/.source;
  const stop = delimiter === "|" ? "\\|" : delimiter;
  const pattern = new RegExp(`(?:${cell})(${stop}|\r\n|\r|\n|$)`, "y");
  pattern.lastIndex = start;
  const cells: string[] = [];
  for (;;) {
    const end = pattern.lastIndex;
    const found = pattern.exec(text);
    if (!found) return { cells, end, ended: false };
    const [, quoted, plain, stop] = found;
    cells.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (stop !== delimiter) {
      return { cells, end: pattern.lastIndex, ended: true };
    }
  }
}

/** The lines above a header, which hold no data. */
export interface Preamble {
  /** Bytes of the lines above the header. */
  readonly length: number;
  /** How many lines they are. */
  readonly lines: number;
  /** What a first line such as `sep=;` says. */
  readonly delimiter?: string;
}

/** What to do about a file that has rows which nobody can read, or is damaged. */
export const MEND_FILE =
  "Mend the file, or export it again and replace it whole";

const NONE_PASSED: Preamble = { length: 0, lines: 0 };
const SEPARATOR = /^"?sep=([,;\t|])"?$/i;
/** The codes of characters that are no value, whatever the delimiter. */
export const VALUELESS: ReadonlySet<number> = new Set(
  [" ", ...DELIMITERS].map((char) => char.charCodeAt(0)),
);
/** A line that says more than the delimiter is longer. */
const SEPARATOR_MAX_BYTES = 16;

/**
 * Finds the lines above the header in the bytes a text begins with: one such as
 * `sep=;`, then lines without a value; or every line above `header_line`, where that
 * is given. Null when more bytes are needed, which cannot be when they are the `whole`
 * text. Lines that were `passed` before are counted with those, without their bytes.
 */
export function readPreamble(
  bytes: Uint8Array,
  { whole, header_line, passed = NONE_PASSED }: {
    readonly whole: boolean;
    readonly header_line?: number;
    readonly passed?: Preamble;
  },
): Preamble | null {
  let length = 0;
  let { lines, delimiter } = passed;
  // Only the first line of a text says the delimiter.
  if (lines === 0) {
    const first = bytes.subarray(0, SEPARATOR_MAX_BYTES);
    const end = first.findIndex(isLineEnd);
    if (end < 0 && !whole && first.length < SEPARATOR_MAX_BYTES) return null;
    const line = new TextDecoder().decode(
      end < 0 ? first : first.slice(0, end),
    );
    delimiter = SEPARATOR.exec(line)?.[1];
    if (delimiter !== undefined) {
      const next = end < 0 ? bytes.length : afterLineEnd(bytes, end, { whole });
      if (next === undefined) return null;
      length = next;
      lines++;
    }
  }
  for (;;) {
    let at = length;
    if (lines + 1 >= (header_line ?? Infinity)) {
      return { length, lines, delimiter };
    }
    const isAbove = (byte: number) =>
      header_line === undefined ? VALUELESS.has(byte) : !isLineEnd(byte);
    while (at < bytes.length && isAbove(bytes[at])) at++;
    if (at === bytes.length) {
      return whole ? { length, lines, delimiter } : null;
    }
    if (!isLineEnd(bytes[at])) return { length, lines, delimiter };
    const next = afterLineEnd(bytes, at, { whole });
    if (next === undefined) return null;
    length = next;
    lines++;
  }
}

/** How many bytes the lines take that have ended. */
export function lengthOfLines(bytes: Uint8Array): number {
  // An LF may follow a CR at the end.
  const cr = bytes.subarray(0, -1).lastIndexOf(0x0d);
  return Math.max(bytes.lastIndexOf(0x0a), cr) + 1;
}

function isLineEnd(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d;
}

// Undefined when a CR is the last byte that is there, and an LF may follow.
function afterLineEnd(
  bytes: Uint8Array,
  at: number,
  { whole }: { readonly whole: boolean },
): number | undefined {
  if (bytes[at] === 0x0a) return at + 1;
  if (at + 1 === bytes.length && !whole) return undefined;
  return bytes[at + 1] === 0x0a ? at + 2 : at + 1;
}

/** What is wrong with a text's structure, and in which line. */
export interface StructureProblem {
  readonly line: number;
  readonly problem: string;
  readonly remedy: string;
}

/** A byte in a record below the header: the line it is in, and its cell from 0. */
export interface MarkedByte {
  readonly line: number;
  readonly cell: number;
}

// What a byte is to the structure.
const [OTHER, QUOTE, DELIMITER, LF, CR, SPACE] = [0, 1, 2, 3, 4, 5];
const CLASSES = 8;

// The state of the scanner within a cell. AFTER_CR is the start of a cell after a CR that
// may be bare; the first four are outside of quotes and line ends.
const [START, ONE_SPACE, SPACES, PLAIN] = [0, 1, 2, 3];
const [QUOTED, QUOTE_IN_QUOTED, CLOSED, AFTER_CR] = [4, 5, 6, 7];

// Set in a transition on which something is noted: every line break, among others.
const EVENT = 0x80;

const TRANSITIONS = (() => {
  const table = new Uint8Array(8 * CLASSES);
  const set = (state: number, next: number[]) =>
    table.set(next, state * CLASSES);
  const line_end = [EVENT | START, EVENT | AFTER_CR];
  // By class: other, quote, delimiter, LF, CR, space.
  set(START, [PLAIN, EVENT | QUOTED, START, ...line_end, ONE_SPACE]);
  set(ONE_SPACE, [PLAIN, EVENT | QUOTED, START, ...line_end, SPACES]);
  set(SPACES, [PLAIN, EVENT | PLAIN, START, ...line_end, SPACES]);
  set(PLAIN, [PLAIN, PLAIN, START, ...line_end, PLAIN]);
  const in_quotes = EVENT | QUOTED;
  set(QUOTED, [QUOTED, QUOTE_IN_QUOTED, QUOTED, in_quotes, in_quotes, QUOTED]);
  const after_quote = [START, ...line_end, CLOSED];
  set(QUOTE_IN_QUOTED, [EVENT | PLAIN, QUOTED, ...after_quote]);
  set(CLOSED, [EVENT | PLAIN, EVENT | PLAIN, ...after_quote]);
  const bare = [PLAIN, QUOTED, START].map((state) => EVENT | state);
  set(AFTER_CR, [...bare, ...line_end, EVENT | ONE_SPACE]);
  return table;
})();

/**
 * DuckDB's reader refuses a longer row, without its line end; one that is longer than
 * its buffers it passes over without a word.
 */
const MAX_ROW_BYTES = 2_000_000;
const NO_BYTES = new Uint8Array();

/**
 * Reads the structure of UTF-8 text: takes out rows without a value, notes the line
 * each record begins in, and checks for what DuckDB's reader would silently misread:
 * a quote that is never closed, text after a closing quote, a quote after several
 * spaces, line ends of which only some are a bare CR, and a row that is too long. Feed
 * every chunk, then call
 * `finish` and read `problem`.
 */
export class CsvScanner {
  /** Whether a quoted cell has a line break in it. */
  quoted_line_breaks = false;
  /** The lines that the records begin in. */
  readonly lines = new RowNumbers();
  readonly #delimiter: number;
  readonly #classes = new Uint8Array(256);
  #state = START;
  #has_lf = false;
  /** The line that the next byte is in, and the one its record begins in. */
  #line: number;
  #row_line: number;
  /** Whether a row has begun that holds more than delimiters, or is very long. */
  #in_row = false;
  /** Bytes of the row that has begun. */
  #row_bytes = 0;
  /** Delimiters of the row that has begun. */
  #cell = 0;
  /** The start of a row that has been nothing but delimiters. */
  #held = NO_BYTES;
  /** Whether the CR just read ended an empty row. */
  #emptied_by_cr = false;
  #last_byte = 0;
  #opened = 0;
  #garbage: number | undefined;
  #quote_after_spaces: number | undefined;
  #bare_cr: number | undefined;
  #too_long: number | undefined;

  /** @param first_line The line of the file that the text begins in. */
  constructor(
    delimiter: string,
    { first_line = 1 }: { first_line?: number } = {},
  ) {
    this.#delimiter = delimiter.charCodeAt(0);
    this.#line = first_line;
    this.#row_line = first_line;
    this.#classes[0x22] = QUOTE;
    this.#classes[0x0a] = LF;
    this.#classes[0x0d] = CR;
    this.#classes[0x20] = SPACE;
    this.#classes[this.#delimiter] = DELIMITER;
  }

  /** The first problem, if the chunks so far are the whole text. */
  get problem(): StructureProblem | undefined {
    if (this.#garbage !== undefined) {
      return {
        line: this.#garbage,
        problem: "a quoted cell that goes on after its closing quote",
        remedy: 'Write a quote inside a quoted cell twice, as ""',
      };
    }
    if (this.#quote_after_spaces !== undefined) {
      return {
        line: this.#quote_after_spaces,
        problem: "a quote after several spaces",
        remedy: "Begin a quoted cell with its quote",
      };
    }
    if (this.#state === QUOTED) {
      return {
        line: this.#opened,
        problem: "a quote that is never closed",
        remedy: "Export the file again, whole and with every quote closed",
      };
    }
    const bare_cr = this.#bare_cr ??
      (this.#state === AFTER_CR ? this.#line - 1 : undefined);
    if (bare_cr !== undefined && this.#has_lf) {
      return {
        line: bare_cr,
        problem: "a line that ends in CR where others end in LF or CRLF",
        remedy: "Export the file again with one kind of line end",
      };
    }
    if (this.#too_long !== undefined) {
      return {
        line: this.#too_long,
        problem: `Maximum line size of ${MAX_ROW_BYTES} bytes exceeded`,
        remedy: MEND_FILE,
      };
    }
    return undefined;
  }

  /** Takes the next bytes of the text and returns those to keep, which may be the same ones. */
  feed(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.length > 0
      ? joinBytes([this.#held, chunk])
      : chunk;
    if (bytes.length === 0) return bytes;
    this.#held = NO_BYTES;
    // Most exports have neither a quote nor a CR: four bytes at a time is seven
    // times as fast as one.
    const plain = this.#state <= PLAIN && bytes[bytes.length - 1] !== 0x20 &&
      this.#row_bytes + bytes.length <= MAX_ROW_BYTES;
    const lines = plain
      ? countPlainLines(bytes, this.#delimiter, { at_row_start: !this.#in_row })
      : NOT_PLAIN;
    if (lines === NOT_PLAIN) return this.#read(bytes);
    this.#skip(bytes, lines);
    return bytes;
  }

  /** Ends the text; a row of delimiters that was held back is not kept. */
  finish(): void {
    this.#held = NO_BYTES;
    if (this.#in_row) this.lines.add(this.#row_line);
    this.#in_row = false;
  }

  /**
   * Where the bytes of the next chunk at `offsets`, which ascend, will be. Those of
   * the header are left out.
   */
  locate(chunk: Uint8Array, offsets: readonly number[]): MarkedByte[] {
    const found: MarkedByte[] = [];
    let state = this.#state;
    let line = this.#line;
    let cell = this.#in_row ? this.#cell : 0;
    let in_header = this.lines.count === 0;
    let next_offset = 0;
    let last_byte = this.#last_byte;
    const bytes = joinBytes([this.#held, chunk]);
    for (let i = 0; i < bytes.length && next_offset < offsets.length; i++) {
      if (i === this.#held.length + offsets[next_offset]) {
        if (!in_header) found.push({ line, cell });
        next_offset++;
      }
      const byte_class = this.#classes[bytes[i]];
      const next = TRANSITIONS[state * CLASSES + byte_class] & ~EVENT;
      if (byte_class === DELIMITER && next !== QUOTED) cell++;
      if (isLineEnd(bytes[i])) {
        if (bytes[i] === 0x0d || last_byte !== 0x0d) line++;
        if (next !== QUOTED) {
          cell = 0;
          in_header = false;
        }
      }
      state = next;
      last_byte = bytes[i];
    }
    return found;
  }

  #skip(bytes: Uint8Array, lines: number): void {
    const last = bytes[bytes.length - 1];
    const tail = lines > 0 ? bytes.lastIndexOf(0x0a) + 1 : 0;
    if (lines > 0) {
      this.#has_lf = true;
      this.lines.add(this.#row_line);
      this.lines.addRun(this.#line + 1, lines - 1);
      this.#line += lines;
      this.#row_line = this.#line;
      this.#cell = 0;
    } else if (!this.#in_row) this.#cell = 0;
    for (let i = tail; i < bytes.length; i++) {
      if (bytes[i] === this.#delimiter) this.#cell++;
    }
    this.#in_row = tail < bytes.length;
    this.#row_bytes = (lines > 0 ? 0 : this.#row_bytes) + bytes.length - tail;
    this.#state = this.#classes[last] === OTHER ? PLAIN : START;
    this.#last_byte = last;
  }

  // The line ends and quotes of every row are dealt with in place: a call for each
  // would take a quarter more time.
  #read(bytes: Uint8Array): Uint8Array {
    const classes = this.#classes;
    const delimiter = this.#delimiter;
    const first_state = this.#state;
    const kept: Uint8Array[] = [];
    let kept_from = 0;
    let state = first_state;
    let line = this.#line;
    let row_line = this.#row_line;
    // Below 0: before these bytes.
    let row_start = -this.#row_bytes;
    // Records in consecutive lines.
    let run_line = row_line;
    let run = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte_class = classes[bytes[i]];
      const next = TRANSITIONS[state * CLASSES + byte_class];
      if (next < EVENT) {
        state = next;
        continue;
      }
      if (state === QUOTED) {
        this.quoted_line_breaks = true;
        const before = i > 0 ? bytes[i - 1] : this.#last_byte;
        if (byte_class === CR || before !== 0x0d) line++;
        continue;
      }
      if (byte_class === LF) {
        this.#has_lf = true;
        if (state === AFTER_CR) {
          if (this.#emptied_by_cr) kept_from = i + 1;
          row_start = i + 1;
          state = START;
          continue;
        }
      } else if (byte_class !== CR) {
        if (byte_class === QUOTE && state <= ONE_SPACE) this.#opened = line;
        else this.#note(byte_class, state, line);
        state = next ^ EVENT;
        continue;
      } else if (state === AFTER_CR) this.#bare_cr ??= line - 1;

      // A row ends.
      const empty = row_start >= 0 &&
        isEmptyRow(bytes, row_start, i, delimiter);
      if (empty) {
        if (row_start > kept_from) {
          kept.push(bytes.subarray(kept_from, row_start));
        }
        kept_from = i + 1;
      } else {
        if (i - row_start > MAX_ROW_BYTES) this.#too_long ??= row_line;
        if (row_line === run_line + run) run++;
        else {
          this.lines.addRun(run_line, run);
          run_line = row_line;
          run = 1;
        }
      }
      this.#emptied_by_cr = empty;
      row_line = ++line;
      row_start = i + 1;
      state = next ^ EVENT;
    }
    this.lines.addRun(run_line, run);
    this.#line = line;
    this.#row_line = row_line;

    let end = bytes.length;
    if (
      row_start >= 0 && end - row_start <= MAX_ROW_BYTES &&
      isEmptyRow(bytes, row_start, end, delimiter)
    ) {
      this.#held = bytes.slice(row_start);
      end = row_start;
      state = end === 0
        ? first_state
        : bytes[end - 1] === 0x0d
        ? AFTER_CR
        : START;
      this.#in_row = false;
      this.#row_bytes = 0;
    } else {
      this.#countCells(bytes, { start: row_start, first_state });
      this.#in_row = true;
      this.#row_bytes = end - row_start;
      if (this.#row_bytes > MAX_ROW_BYTES) this.#too_long ??= row_line;
    }
    this.#state = state;
    if (end > 0) this.#last_byte = bytes[end - 1];
    if (kept_from === 0) return bytes.subarray(0, end);
    kept.push(bytes.subarray(kept_from, end));
    return joinBytes(kept);
  }

  // Delimiters in quotes do not count.
  #countCells(
    bytes: Uint8Array,
    { start, first_state }: {
      readonly start: number;
      readonly first_state: number;
    },
  ): void {
    if (start >= 0) this.#cell = 0;
    let state = start > 0 ? START : first_state;
    for (let i = Math.max(start, 0); i < bytes.length; i++) {
      const byte_class = this.#classes[bytes[i]];
      state = TRANSITIONS[state * CLASSES + byte_class] & ~EVENT;
      if (byte_class === DELIMITER && state !== QUOTED) this.#cell++;
    }
  }

  // Of what is neither a line end nor the quote that opens a cell.
  #note(byte_class: number, state: number, line: number): void {
    if (state === AFTER_CR) {
      this.#bare_cr ??= line - 1;
      if (byte_class === QUOTE) this.#opened = line;
    } else if (state === QUOTE_IN_QUOTED || state === CLOSED) {
      this.#garbage ??= this.#opened;
    } else if (state === SPACES) this.#quote_after_spaces ??= line;
  }
}

/** Whether the bytes of a row are delimiters alone, or none. */
function isEmptyRow(
  bytes: Uint8Array,
  start: number,
  end: number,
  delimiter: number,
): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== delimiter) return false;
  return true;
}

const NOT_PLAIN = -1;
/** Words whose line ends are counted in lanes of a byte. */
const BLOCK_WORDS = 128;

/**
 * The number of LF in bytes without a quote, a CR and an empty row, four bytes at a
 * time; else, or when the last row may be an empty one, NOT_PLAIN.
 */
function countPlainLines(
  bytes: Uint8Array,
  delimiter: number,
  { at_row_start }: { readonly at_row_start: boolean },
): number {
  const { words, head, tail } = wordsOf(bytes);
  let lines = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (i === head) i = tail;
    if (i === bytes.length) break;
    if (bytes[i] === 0x22 || bytes[i] === 0x0d) return NOT_PLAIN;
    if (bytes[i] === 0x0a) lines++;
  }
  const delimiters = Math.imul(delimiter, 0x01010101);
  let lf_before = 0;
  let suspects = 0;
  for (let from = 0; from < words.length; from += BLOCK_WORDS) {
    const to = Math.min(from + BLOCK_WORDS, words.length);
    let refused = 0;
    let lanes = 0;
    for (let i = from; i < to; i++) {
      const word = words[i];
      // A byte of x is zero where (x - 0x01…) & ~x has its high bit set; a byte
      // above a zero may be set as well.
      const quote = word ^ 0x22222222;
      const cr = word ^ 0x0d0d0d0d;
      refused |= ((quote - 0x01010101) & ~quote) | ((cr - 0x01010101) & ~cr);
      // Exactly the high bits of bytes that are LF.
      const other = word ^ 0x0a0a0a0a;
      const lf = ~(((other & 0x7f7f7f7f) + 0x7f7f7f7f) | other | 0x7f7f7f7f);
      lanes = (lanes + (lf >>> 7)) | 0;
      // An LF or a delimiter after an LF.
      const cell = word ^ delimiters;
      suspects |= ((lf << 8) | lf_before) &
        (((cell - 0x01010101) & ~cell) | lf);
      lf_before = lf >>> 24;
    }
    if (refused & 0x80808080) return NOT_PLAIN;
    lines += (lanes & 0xff) + ((lanes >>> 8) & 0xff) + ((lanes >>> 16) & 0xff) +
      (lanes >>> 24);
  }
  // Rows over the borders of the words, and those that only look empty so far.
  const suspect = suspects & 0x80808080 ||
    isSuspect(bytes, delimiter, { border: head }) ||
    isSuspect(bytes, delimiter, { border: tail }) ||
    at_row_start && startsEmptyRow(bytes, 0, delimiter);
  return suspect && hasEmptyRow(bytes, delimiter, { at_row_start })
    ? NOT_PLAIN
    : lines;
}

// Whether an LF is among the few bytes around a border of the words.
function isSuspect(
  bytes: Uint8Array,
  delimiter: number,
  { border }: { readonly border: number },
) {
  const to = Math.min(border + 4, bytes.length);
  for (let i = Math.max(border - 4, 1); i < to; i++) {
    const after_lf = bytes[i - 1] === 0x0a;
    if (after_lf && (bytes[i] === 0x0a || bytes[i] === delimiter)) return true;
  }
  return false;
}

function hasEmptyRow(
  bytes: Uint8Array,
  delimiter: number,
  { at_row_start }: { readonly at_row_start: boolean },
): boolean {
  if (at_row_start && startsEmptyRow(bytes, 0, delimiter)) return true;
  for (
    let at = bytes.indexOf(0x0a);
    at >= 0;
    at = bytes.indexOf(0x0a, at + 1)
  ) {
    if (startsEmptyRow(bytes, at + 1, delimiter)) return true;
  }
  return false;
}

// An empty row, or the start of what may become one.
function startsEmptyRow(
  bytes: Uint8Array,
  start: number,
  delimiter: number,
): boolean {
  let at = start;
  while (at < bytes.length && bytes[at] === delimiter) at++;
  return at === bytes.length ? at > start : bytes[at] === 0x0a;
}
