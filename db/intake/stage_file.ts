/** Copies an export into staging, once, while hashing it and checking that it is whole. */

import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { joinBytes } from "../model/bytes.ts";
import type { Pace } from "../pace.ts";
import { changed, type LoadProblem, refused } from "../model/problems.ts";
import {
  COLUMNS_REMEDY,
  requireColumns,
  type Table,
  TABLES,
} from "../model/contract.ts";
import {
  CsvScanner,
  endsInDelimiter,
  type Header,
  lengthOfLines,
  type MarkedByte,
  type Preamble,
  readHeader,
  readPreamble,
} from "./csv_scanner.ts";
import { NotUtf8, type Transcoded, Transcoder } from "./encodings.ts";
import type { FileHashes } from "./file_hashes.ts";
import { requireKind } from "./file_kind.ts";
import { identityOf, type SourceFile } from "./find_files.ts";
import { openRegularFile } from "./open_regular_file.ts";
import { writeAll } from "./write_all.ts";
import { readRange } from "./read_range.ts";
import type { RowNumbers } from "./row_numbers.ts";
import {
  noSuchRow,
  type OpenBook,
  openBook,
  stageSheet,
  TITLE_LINES,
  titleAbove,
} from "./stage_sheet.ts";

/** A file in staging: plain UTF-8 text, or Parquet as it was. A sheet is text. */
export interface StagedFile extends SourceFile {
  readonly staged_path: string;
  /** Of the file as it was delivered. */
  readonly bytes: number;
  /** Of the file as it was delivered, in hex. */
  readonly sha256: string;
  /** The structure of a delimited text; null for Parquet. */
  readonly text: TextShape | null;
  /** The lines of the file, or rows of the sheet, that the records of the text begin in. */
  readonly row_numbers?: RowNumbers;
  /** Of a sheet: cells in columns of times that are dates to the spreadsheet, not text. */
  readonly native_dates?: number;
}

/** The structure that a reader of a delimited text needs. */
export interface TextShape {
  /** Null for a sheet. */
  readonly encoding: string | null;
  readonly header: Header;
  /** Whether a quoted cell has a line break in it. */
  readonly quoted_line_breaks: boolean;
  /** Whether the first row has one cell more than the header, an empty one. */
  readonly trailing_delimiter: boolean;
}

/** The settings that staging needs. */
export interface StagingOptions {
  /** Encoding of text that is neither UTF-8 nor UTF-16. */
  readonly csv_encoding: string;
  /** The largest file in bytes, unpacked. */
  readonly max_file_bytes: number;
  /** The largest size of the parts of a workbook in bytes, unpacked, and of the text made of it. */
  readonly xlsx_max_bytes: number;
  /** Awaited between chunks, where others need the thread. */
  readonly pace?: Pace;
  /** When it is aborted, staging ends and throws its reason. */
  readonly signal?: AbortSignal;
  /** Hashes that are known and need not be computed, and where new ones are noted. */
  readonly hashes?: FileHashes;
}

/** The columns that a file must have. */
export function layoutOf({ table, layout }: SourceFile): Table {
  return layout ?? TABLES[table];
}

/** What to do where the columns of a file are not those that it must have. */
export function columnsRemedy({ source }: SourceFile): string | undefined {
  return source && `Mend ${source.key} in tally.toml`;
}

/** The line of the text, or the row of the sheet, in which a record begins. */
export function lineOf({ row_numbers }: StagedFile, record: number): number {
  return row_numbers ? row_numbers.rowOf(record) : record;
}

/** A millisecond of hashing and scanning. */
const CHUNK_BYTES = 1 << 18;
/** A header below a title is looked for in so much of a text, so that the search holds up no answers. */
const TITLE_MAX_BYTES = 1 << 14;
const HEADER_MAX_BYTES = 1 << 18;
const EXPORT_AGAIN = "Export the file again and replace it whole";

/**
 * Copies `source`, a text or Parquet, to `staged_path`. Throws a refusal when it is not
 * whole or has no fitting header.
 */
export async function stageFile(
  source: SourceFile,
  staged_path: string,
  options: StagingOptions,
): Promise<StagedFile> {
  await requireKind(source);
  if (source.format === "parquet") {
    if (source.source?.header_row !== undefined) {
      throw refused({
        file: source.file,
        problem:
          `${source.source.key} of tally.toml has header_row, and a Parquet file has no lines`,
        remedy: "Leave header_row out",
      });
    }
    const { bytes, sha256 } = await copy(source, staged_path, options);
    await checkParquet(source, staged_path);
    return { ...source, staged_path, bytes, sha256, text: null };
  }
  for (const encoding of [null, options.csv_encoding]) {
    try {
      return await stageText(source, staged_path, { ...options, encoding });
    } catch (error) {
      if (!(error instanceof NotUtf8)) throw error;
    }
  }
  throw refused({
    file: source.file,
    problem: "bytes that are not UTF-8",
    remedy: "Export the file again in UTF-8, or set CSV_ENCODING",
  });
}

/** A workbook that was copied into staging once, for all of its sheets. */
export interface WorkbookCopy extends AsyncDisposable {
  /** Makes text of one sheet, at `staged_path`; one sheet after the other. Throws a refusal. */
  stage(source: SourceFile, staged_path: string): Promise<StagedFile>;
}

/**
 * Copies the workbook of `source` to `copied_path`, where it stays until it is
 * disposed: a zip is read from its end, so it is copied first and unpacked from the
 * copy. Throws a refusal when it changes meanwhile.
 */
export async function copyWorkbook(
  source: SourceFile,
  copied_path: string,
  options: StagingOptions,
): Promise<WorkbookCopy> {
  const remove = () => Deno.remove(copied_path).catch(() => {});
  const { bytes, sha256 } = await copy(source, copied_path, options)
    .catch(async (error) => {
      await remove();
      throw error;
    });
  let book: OpenBook | undefined;
  return {
    async stage(source, staged_path) {
      // One that cannot be opened is refused by the name of each of its sheets.
      book ??= await openBook(copied_path, {
        file: source.file,
        max_bytes: options.xlsx_max_bytes,
        signal: options.signal,
      });
      const { header, line_breaks, row_numbers, native_dates } =
        await stageSheet(
          {
            ...source,
            layout: layoutOf(source),
            remedy: columnsRemedy(source),
          },
          book,
          { to: staged_path },
        );
      return {
        ...source,
        staged_path,
        bytes,
        sha256,
        text: {
          encoding: null,
          header,
          quoted_line_breaks: line_breaks,
          trailing_delimiter: false,
        },
        row_numbers,
        native_dates,
      };
    },
    async [Symbol.asyncDispose]() {
      book?.workbook[Symbol.dispose]();
      await remove();
    },
  };
}

async function stageText(
  source: SourceFile,
  staged_path: string,
  options: StagingOptions & { readonly encoding: string | null },
): Promise<StagedFile> {
  const transcoder = new Transcoder(options.encoding);
  const start = new TextStart(source, options.encoding);
  // A header may not fit because its encoding is another one.
  const beginText = (text: Transcoded, last: boolean) => {
    try {
      return start.feed(text, last);
    } catch (error) {
      throw transcoder.is_doubtful ? new NotUtf8() : error;
    }
  };
  let broken: MarkedByte | undefined;
  let is_empty = true;

  const transform = (chunk: Uint8Array, last: boolean) => {
    is_empty &&= chunk.length === 0;
    if (last && is_empty) {
      throw refused({
        file: source.file,
        problem: "the file is empty",
        remedy: "Export it again; a header alone counts",
      });
    }
    let text = transcoder.feed(chunk, last);
    if (!start.scanner) {
      const begun = beginText(text, last);
      if (!begun) return;
      text = begun;
    }
    const { scanner, header } = start;
    if (text.replaced.length > 0) {
      const used = Object.values(header!.match.positions);
      broken ??= scanner!.locate(text.bytes, text.replaced)
        .find(({ cell }) => used.includes(cell));
    }
    const kept = scanner!.feed(text.bytes);
    if (last) scanner!.finish();
    return kept;
  };

  const { bytes, sha256 } = await copy(source, staged_path, {
    ...options,
    transform,
  });

  const scanner = start.scanner!;
  const header = start.header!;
  if (scanner.problem) throw refused({ file: source.file, ...scanner.problem });
  if (broken) throw refused(brokenByte(source, header, broken));
  return {
    ...source,
    staged_path,
    bytes,
    sha256,
    text: {
      encoding: transcoder.encoding,
      header,
      quoted_line_breaks: scanner.quoted_line_breaks,
      trailing_delimiter: endsInDelimiter(
        await readHead(staged_path, 2 * HEADER_MAX_BYTES),
        header,
      ),
    },
    row_numbers: scanner.lines,
  };
}

async function readHead(path: string, length: number): Promise<string> {
  using file = await Deno.open(path);
  return new TextDecoder().decode(await readRange(file, { offset: 0, length }));
}

/** Collects the bytes a text begins with until its header is whole. */
class TextStart {
  header: Header | undefined;
  scanner: CsvScanner | undefined;
  /** Lines that are known to be above it, and are not in `#bytes` any more. */
  #passed: Preamble = { length: 0, lines: 0 };
  #bytes = new Uint8Array();
  #replaced: number[] = [];

  constructor(
    readonly source: SourceFile,
    /** CSV_ENCODING, where the text is read in it. */
    readonly csv_encoding: string | null,
  ) {}

  /** The text from its header on, when that is there. Throws a refusal when it does not fit. */
  feed({ bytes, replaced }: Transcoded, last: boolean): Transcoded | undefined {
    const offset = this.#bytes.length;
    this.#bytes = joinBytes([this.#bytes, bytes]);
    for (const one of replaced) this.#replaced.push(offset + one);
    const { file } = this.source;

    const above = readPreamble(this.#bytes, {
      whole: last,
      header_line: this.source.source?.header_row,
      passed: this.#passed,
    });
    if (!above) this.#pass();
    const text = this.#bytes.subarray(above?.length ?? 0);
    const end = above
      ? text.findIndex((byte) => byte === 0x0a || byte === 0x0d)
      : -1;
    if ((end < 0 ? text.length : end) > HEADER_MAX_BYTES) {
      throw refused(longHeader(this.source, (above ?? this.#passed).lines));
    }
    if (!above || end < 0 && !last) return undefined;
    // A text without a value has its header in the first line.
    const header_line = text.length > 0 || above.delimiter !== undefined
      ? above.lines + 1
      : 1;
    const { header_row, key } = this.source.source ?? {};
    if (header_row !== undefined && text.length === 0) {
      throw refused(noSuchRow(file, { header_row, key: key! }));
    }
    const { delimiter } = above;
    const head = new TextDecoder().decode(
      text.subarray(0, 2 * HEADER_MAX_BYTES),
    );
    const header = readHeader(layoutOf(this.source), head, { delimiter });
    if (header_row === undefined && header.match.missing.length > 0) {
      this.#refuseTitle(text, above);
    }
    requireColumns(header.names, header.match, {
      file,
      line: header_line,
      remedy: this.#remedyFor(header.names),
    });
    this.header = header;
    this.scanner = new CsvScanner(header.delimiter, {
      first_line: header_line,
    });
    return {
      bytes: text,
      replaced: without(this.#replaced, above.length),
    };
  }

  /** Lets go of the lines that have ended: there may be any number above the header. */
  #pass(): void {
    const length = lengthOfLines(this.#bytes);
    this.#passed = readPreamble(this.#bytes.subarray(0, length), {
      whole: true,
      header_line: this.source.source?.header_row,
      passed: this.#passed,
    })!;
    this.#bytes = this.#bytes.subarray(length);
    this.#replaced = without(this.#replaced, length);
  }

  /** Throws a refusal when one of the lines below that with which `text` begins could be the header. */
  #refuseTitle(text: Uint8Array, passed: Preamble): void {
    const line = passed.lines + 1;
    const { delimiter } = passed;
    const bytes = text.subarray(0, TITLE_MAX_BYTES);
    for (let later = line + 1; later <= line + TITLE_LINES; later++) {
      const above = readPreamble(bytes, {
        whole: true,
        header_line: later,
        passed,
      })!;
      const below = bytes.subarray(above.length);
      if (below.length === 0) return;
      const { match } = readHeader(
        layoutOf(this.source),
        new TextDecoder().decode(below),
        { delimiter },
      );
      if (match.missing.length > 0) continue;
      throw refused(titleAbove(this.source, { line, later }));
    }
  }

  #remedyFor(names: readonly string[]): string | undefined {
    const remedy = columnsRemedy(this.source);
    // Letters in another encoding are other letters.
    return this.csv_encoding !== null &&
        names.some((name) => /[\x80-\uffff]/.test(name))
      ? `Check CSV_ENCODING=${this.csv_encoding}. ${remedy ?? COLUMNS_REMEDY}`
      : remedy;
  }
}

/** Offsets in bytes of which the first `length` are gone. */
function without(offsets: readonly number[], length: number): number[] {
  return offsets.map((one) => one - length).filter((one) => one >= 0);
}

function longHeader({ file }: SourceFile, lines_above: number): LoadProblem {
  return {
    file,
    line: lines_above + 1,
    problem: `a first line of more than ${HEADER_MAX_BYTES} bytes`,
    remedy: "Name the columns in the first line, then break the line",
  };
}

function brokenByte(
  { file }: SourceFile,
  { names }: Header,
  { line, cell }: MarkedByte,
): LoadProblem {
  return {
    file,
    line,
    problem: `a byte in column ${
      JSON.stringify(names[cell].slice(0, 60))
    } that is not UTF-8, though the file is`,
    remedy: "Mend the cell, or export the file again in UTF-8",
  };
}

/** Returns the bytes to write for a chunk; with `last`, also the rest. */
type Transform = (chunk: Uint8Array, last: boolean) => Uint8Array | undefined;

async function copy(
  source: SourceFile,
  staged_path: string,
  { max_file_bytes, pace, signal, hashes, transform = (chunk) => chunk }:
    & StagingOptions
    & { readonly transform?: Transform },
): Promise<{ bytes: number; sha256: string }> {
  let bytes = 0;
  let unpacked = 0;
  using from = await openRegularFile(source.path);
  using to = await Deno.open(staged_path, {
    write: true,
    create: true,
    truncate: true,
  });
  const before = identityOf(await from.stat());
  // The file may have been replaced since it was checked.
  if (before !== (source.identity ?? before)) throw changed(source);
  const known = hashes?.known(before);
  const hash = known === undefined ? createHash("sha256") : null;

  // A chunk is written while the next one is read and hashed.
  let written: Promise<void> = Promise.resolve();
  async function write(chunk: Uint8Array, last: boolean): Promise<void> {
    unpacked += chunk.length;
    if (unpacked > max_file_bytes) {
      throw refused({
        file: source.file,
        problem: `more than ${max_file_bytes} bytes unpacked`,
        remedy: "Split the export, or raise MAX_FILE_BYTES",
      });
    }
    const output = transform(chunk, last);
    await written;
    if (output?.length) written = writeAll(to, output);
    // The next await of it throws its error; until then it must not count as unhandled.
    written.catch(() => {});
    signal?.throwIfAborted();
    await pace?.();
  }
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of readChunks(from, source.gzip)) {
      hash?.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }

  try {
    if (source.gzip) await gunzip(source, hashed(), { write });
    else for await (const chunk of hashed()) await write(chunk, false);
    await write(new Uint8Array(), true);
  } finally {
    await written;
  }

  const after = await from.stat();
  if (bytes !== after.size || identityOf(after) !== before) {
    throw changed(source);
  }
  const sha256 = known ?? hash!.digest("hex");
  hashes?.remember(before, sha256);
  return { bytes, sha256 };
}

// The chunks of an ungzipped file share three buffers: one that is being read
// into, one that is being looked at, one that is being written.
async function* readChunks(
  file: Deno.FsFile,
  fresh_buffers: boolean,
): AsyncGenerator<Uint8Array> {
  const buffers = Array.from({ length: 3 }, () => new Uint8Array(CHUNK_BYTES));
  let turn = 0;
  const read = async () => {
    const buffer = fresh_buffers
      ? new Uint8Array(CHUNK_BYTES)
      : buffers[turn++ % 3];
    const length = await file.read(buffer);
    return length === null ? null : buffer.subarray(0, length);
  };
  // A read that fails while the chunk before it is looked at waits for its turn.
  const begin = () => {
    const reading = read();
    reading.catch(() => {});
    return reading;
  };
  let next = begin();
  try {
    for (;;) {
      const chunk = await next;
      if (chunk === null) return;
      next = begin();
      yield chunk;
    }
  } finally {
    await next;
  }
}

async function gunzip(
  source: SourceFile,
  packed: AsyncIterable<Uint8Array>,
  { write }: {
    readonly write: (chunk: Uint8Array, last: boolean) => Promise<void>;
  },
): Promise<void> {
  const from = Readable.from(packed);
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  from.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const chunk of from.pipe(unpacked)) await write(chunk, false);
  } catch (error) {
    // zlib's errors have a code such as Z_BUF_ERROR; others come from this code or the disk.
    const code = (error as { code?: unknown }).code;
    if (typeof code !== "string" || !code.startsWith("Z_")) throw error;
    throw refused({
      file: source.file,
      problem: code === "Z_BUF_ERROR"
        ? "the gzip data ends too early: the file is cut"
        : "not sound gzip data",
      remedy: EXPORT_AGAIN,
    });
  } finally {
    from.destroy();
  }
}

async function checkParquet(source: SourceFile, path: string): Promise<void> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const magic = async (offset: number) => {
    const bytes = await readRange(file, { offset, length: 4 });
    return new TextDecoder().decode(bytes);
  };
  if (
    size < 12 || await magic(0) !== "PAR1" || await magic(size - 4) !== "PAR1"
  ) {
    throw refused({
      file: source.file,
      problem: "not a whole Parquet file: it must begin and end with PAR1",
      remedy: EXPORT_AGAIN,
    });
  }
}
