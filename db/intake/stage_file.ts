/** Copies an export into staging, once, while hashing it and checking that it is whole. */

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Pace } from "../pace.ts";
import {
  type LoadProblem,
  refused,
  type StoreError,
} from "../model/problems.ts";
import { requireColumns, TABLES } from "../model/contract.ts";
import { CsvScanner, type Header, readHeader } from "./csv_scanner.ts";
import type { FileHashes } from "./file_hashes.ts";
import { identityOf, type SourceFile } from "./find_files.ts";
import { openRegularFile } from "./open_regular_file.ts";
import { writeAll } from "./write_all.ts";
import type { RowNumbers } from "./row_numbers.ts";
import { type OpenBook, openBook, stageSheet } from "./stage_sheet.ts";

/** A file in staging: plain UTF-8 text, or Parquet as it was. A sheet is text. */
export interface StagedFile extends SourceFile {
  readonly staged_path: string;
  /** Of the file as it was delivered. */
  readonly bytes: number;
  /** Of the file as it was delivered, in hex. */
  readonly sha256: string;
  /** What a delimited text's structure is; null for Parquet. */
  readonly text: TextShape | null;
  /** The rows of a sheet that the records of the text stand in. */
  readonly row_numbers?: RowNumbers;
  /** Of a sheet: cells in columns of times that are dates to the spreadsheet, not text. */
  readonly native_dates?: number;
}

/** What a reader of a delimited text needs to know. */
export interface TextShape {
  /** Null when it was a sheet. */
  readonly encoding: string | null;
  readonly header: Header;
  /** Whether a quoted cell has a line break in it. */
  readonly quoted_line_breaks: boolean;
}

/** What staging needs to know of the settings. */
export interface StagingOptions {
  /** Encoding of text that is neither UTF-8 nor UTF-16. */
  readonly csv_encoding: string;
  /** Most bytes of one file, unpacked. */
  readonly max_file_bytes: number;
  /** Most bytes of the parts of a workbook, unpacked, and of the text made of it. */
  readonly xlsx_max_bytes: number;
  /** Awaited between chunks, where others need the thread. */
  readonly pace?: Pace;
  /** Hashes that are known and need not be computed, and where new ones are noted. */
  readonly hashes?: FileHashes;
}

/** A millisecond of hashing and scanning. */
const CHUNK_BYTES = 1 << 18;
const HEADER_MAX_BYTES = 1 << 18;
const EXPORT_AGAIN = "Export the file again and replace it whole";

/** Copies `source` to `staged_path`. Throws a refusal when it is not whole or has no fitting header. */
export async function stageFile(
  source: SourceFile,
  staged_path: string,
  options: StagingOptions,
): Promise<StagedFile> {
  if (source.format === "parquet") {
    const { bytes, sha256 } = await copy(source, staged_path, options);
    await checkParquet(source, staged_path);
    return { ...source, staged_path, bytes, sha256, text: null };
  }
  if (source.format === "xlsx") {
    await using book = await copyWorkbook(
      source,
      `${staged_path}.xlsx`,
      options,
    );
    return await book.stage(source, staged_path);
  }
  let marked = false;
  for (const fallback of [null, options.csv_encoding]) {
    try {
      return await stageText(source, staged_path, options, fallback);
    } catch (error) {
      if (!(error instanceof NotUtf8)) throw error;
      marked = error.marked;
    }
  }
  throw refused({
    file: source.file,
    problem: marked
      ? "begins with the mark of UTF-8, and has bytes that are not UTF-8"
      : "bytes that are not UTF-8",
    remedy: marked
      ? "Export the file again in UTF-8"
      : "Export the file again in UTF-8, or set CSV_ENCODING",
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
      book ??= await openBook(source.file, copied_path, options.xlsx_max_bytes);
      const { header, line_breaks, row_numbers, native_dates } =
        await stageSheet(
          source,
          book,
          staged_path,
        );
      return {
        ...source,
        staged_path,
        bytes,
        sha256,
        text: { encoding: null, header, quoted_line_breaks: line_breaks },
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
  options: StagingOptions,
  encoding: string | null,
): Promise<StagedFile> {
  const transcoder = new Transcoder(encoding);
  let header: Header | undefined;
  let scanner: CsvScanner | undefined;
  let start = new Uint8Array();

  const { bytes, sha256 } = await copy(source, staged_path, options, {
    transform(chunk, last) {
      const text = transcoder.feed(chunk, last);
      if (!header) {
        start = concat(start, text);
        const line_end = start.findIndex((byte) =>
          byte === 0x0a || byte === 0x0d
        );
        const length = line_end < 0 ? start.length : line_end;
        if (length > HEADER_MAX_BYTES) throw refused(longHeader(source));
        if (line_end < 0 && !last) return;
        const head = start.subarray(0, 2 * HEADER_MAX_BYTES);
        header = readHeader(
          TABLES[source.table],
          new TextDecoder().decode(head),
        );
        requireColumns(source.file, header.names, header.match);
        scanner = new CsvScanner(header.delimiter);
        scanner.feed(start);
        return start;
      }
      scanner!.feed(text);
      return text;
    },
  });

  const problem = scanner!.problem;
  if (problem) {
    throw refused({
      file: source.file,
      line: await lineAt(staged_path, problem.offset),
      problem: problem.problem,
      remedy: problem.remedy,
    });
  }
  return {
    ...source,
    staged_path,
    bytes,
    sha256,
    text: {
      encoding: transcoder.encoding,
      header: header!,
      quoted_line_breaks: scanner!.quoted_line_breaks,
    },
  };
}

function longHeader({ file }: SourceFile): LoadProblem {
  return {
    file,
    line: 1,
    problem: `a first line of more than ${HEADER_MAX_BYTES} bytes`,
    remedy: "Name the columns in the first line, then break the line",
  };
}

interface CopyHooks {
  /** Makes of a chunk what is written; with `last`, of what is left. */
  transform(chunk: Uint8Array, last: boolean): Uint8Array | undefined;
}

async function copy(
  source: SourceFile,
  staged_path: string,
  { max_file_bytes, pace, hashes }: StagingOptions,
  hooks?: CopyHooks,
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
  // What was found whole may have been replaced by another since.
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
    const output = hooks ? hooks.transform(chunk, last) : chunk;
    await written;
    if (output?.length) written = writeAll(to, output);
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
    if (source.gzip) await gunzip(source, hashed(), write);
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

function changed({ file }: SourceFile): StoreError {
  return refused({
    file,
    problem: "changed while it was being read",
    remedy: "Write it under another name and rename it when it is whole",
  });
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
  let next = read();
  try {
    for (;;) {
      const chunk = await next;
      if (chunk === null) return;
      next = read();
      yield chunk;
    }
  } finally {
    await next;
  }
}

async function gunzip(
  source: SourceFile,
  packed: AsyncIterable<Uint8Array>,
  write: (chunk: Uint8Array, last: boolean) => Promise<void>,
): Promise<void> {
  const from = Readable.from(packed);
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  from.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const chunk of from.pipe(unpacked)) await write(chunk, false);
  } catch (error) {
    // zlib's errors have a code such as Z_BUF_ERROR; others are ours or the disk's.
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

class NotUtf8 extends Error {
  /** Whether the text begins with a byte order mark of UTF-8. */
  constructor(readonly marked: boolean) {
    super();
  }
}

/** Makes UTF-8 without a byte order mark of text that is UTF-8, UTF-16 with one, or `fallback`. */
class Transcoder {
  encoding = "utf-8";
  #decoder: TextDecoder | undefined;
  #started = false;
  #marked = false;
  #pending = new Uint8Array();

  constructor(readonly fallback: string | null) {}

  /** Throws NotUtf8 when there is no fallback and a byte is not UTF-8. */
  feed(chunk: Uint8Array, last: boolean): Uint8Array {
    let bytes = this.#pending.length ? concat(this.#pending, chunk) : chunk;
    if (!this.#started) {
      // Three bytes tell every byte order mark.
      if (bytes.length < 3 && !last) return this.#keep(bytes, 0);
      this.#started = true;
      bytes = this.#start(bytes);
    }
    if (this.#decoder) {
      this.#pending = new Uint8Array();
      return new TextEncoder().encode(
        this.#decoder.decode(bytes, { stream: !last }),
      );
    }
    const whole = last ? bytes.length : wholeCharacters(bytes);
    const text = bytes.subarray(0, whole);
    if (!isUtf8(text)) throw new NotUtf8(this.#marked);
    this.#keep(bytes, whole);
    return text;
  }

  #start(bytes: Uint8Array): Uint8Array {
    if (bytes[0] === 0xff && bytes[1] === 0xfe) this.encoding = "utf-16le";
    else if (bytes[0] === 0xfe && bytes[1] === 0xff) this.encoding = "utf-16be";
    else if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      this.#marked = true;
      bytes = bytes.subarray(3);
    } else if (this.fallback) {
      this.encoding = new TextDecoder(this.fallback).encoding;
    }
    if (this.encoding !== "utf-8") {
      this.#decoder = new TextDecoder(this.encoding);
    }
    return bytes;
  }

  #keep(bytes: Uint8Array, from: number): Uint8Array {
    this.#pending = bytes.slice(from);
    return new Uint8Array();
  }
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

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

async function checkParquet(source: SourceFile, path: string): Promise<void> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const magic = async (offset: number) => {
    const bytes = new Uint8Array(4);
    await file.seek(Math.max(offset, 0), Deno.SeekMode.Start);
    await file.read(bytes);
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

async function lineAt(path: string, offset: number): Promise<number> {
  let line = 1;
  let seen = 0;
  using file = await Deno.open(path);
  for await (const chunk of readChunks(file, false)) {
    const part = chunk.subarray(0, offset - seen);
    for (let i = 0; i < part.length; i++) {
      const next = part[i + 1] ?? chunk[i + 1];
      if (part[i] === 0x0a || part[i] === 0x0d && next !== 0x0a) line++;
    }
    seen += chunk.length;
    if (seen >= offset) break;
  }
  return line;
}
