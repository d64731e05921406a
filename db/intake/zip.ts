/** Opens zip archives and streams what is in them; nothing that they say of themselves is trusted. */

import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import yauzl from "yauzl";
import { createInTurn } from "../model/in_turn.ts";
import { openRegularFile } from "./open_regular_file.ts";
import { readRange } from "./read_range.ts";

/** A file in a zip, or a folder, whose name ends in `/`. */
export interface ZipEntry {
  readonly fileName: string;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly uncompressedSize: number;
  readonly compressionMethod: number;
  /** In its high byte, the system that made the entry. */
  readonly versionMadeBy: number;
  /** Of an entry made by Unix, its mode in the high 16 bits. */
  readonly externalFileAttributes: number;
  readonly relativeOffsetOfLocalHeader: number;
  readonly fileNameLength: number;
  isEncrypted(): boolean;
}

interface ZipFile {
  close(): void;
  eachEntry(): AsyncIterable<ZipEntry>;
  openReadStreamPromise(entry: ZipEntry): Promise<AsyncIterable<Uint8Array>>;
}

const MAX_ENTRIES = 10_000;
const LOCAL_HEADER_BYTES = 30;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;

/** What is wrong with a zip, in plain words. */
export class UnsoundZip extends Error {}

/** An open zip. */
export class Zip implements Disposable {
  /** By name in lower case: some programs write other names than they refer to. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #file: ZipFile;

  private constructor(file: ZipFile, entries: ReadonlyMap<string, ZipEntry>) {
    this.#file = file;
    this.entries = entries;
  }

  /** Opens the zip at `path`. Throws an UnsoundZip, and errors of the system. */
  static async open(path: string): Promise<Zip> {
    const opened = await openRegularFile(path);
    let file: ZipFile | undefined;
    try {
      const { size } = await opened.stat();
      file = await yauzl.fromRandomAccessReaderPromise(
        new FileReader(opened, size),
        size,
        { autoClose: false },
      );
      return new Zip(file!, await entriesOf(file!));
    } catch (error) {
      if (file) file.close();
      else opened.close();
      throw explained(error, "the zip");
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  /**
   * Yields the bytes of an entry, never more than it claims. Throws an UnsoundZip when
   * they are others than it claims, and errors of the system.
   */
  async *read(entry: ZipEntry): AsyncGenerator<Uint8Array> {
    const { fileName } = entry;
    let checksum = 0;
    try {
      // An entry that unpacks to more than it claims is stopped by yauzl.
      for await (const chunk of await this.#file.openReadStreamPromise(entry)) {
        checksum = crc32(chunk, checksum);
        yield chunk;
      }
      if (checksum !== entry.crc32) {
        throw new UnsoundZip(`${fileName} is damaged`);
      }
    } catch (error) {
      throw explained(error, fileName);
    }
  }
}

/**
 * Gives yauzl the bytes of a file of `size`, which it closes. yauzl's own reader hands
 * any position that a zip names to the system: one beyond 2 ** 53 is thrown where
 * nobody catches it, and the zip is waited for without end.
 */
class FileReader extends yauzl.RandomAccessReader {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  // What has sought must read before another one seeks.
  readonly #inTurn = createInTurn();

  constructor(file: Deno.FsFile, size: number) {
    super();
    this.#file = file;
    this.#size = size;
  }

  read(
    buffer: Uint8Array,
    // In the order that yauzl has them.
    ...[offset, length, position, callback]: [
      number,
      number,
      number,
      (error: unknown, bytes_read?: number) => void,
    ]
  ): void {
    this.#bytes(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null, bytes.length);
      },
      callback,
    );
  }

  _readStreamForRange(start: number, end: number): Readable {
    let at = start;
    const next = (length: number) =>
      this.#bytes(at, Math.min(length, end - at));
    return new Readable({
      read(length) {
        next(length).then((bytes) => {
          at += bytes.length;
          this.push(bytes.length > 0 ? bytes : null);
        }, (error) => this.destroy(error));
      },
    });
  }

  close(callback: () => void): void {
    this.#file.close();
    callback();
  }

  async #bytes(position: number, length: number): Promise<Uint8Array> {
    if (position + length > this.#size) {
      throw new UnsoundZip("it names bytes beyond its end");
    }
    return await this.#inTurn(() =>
      readRange(this.#file, { offset: position, length })
    );
  }
}

function explained(error: unknown, where: string): unknown {
  const detail = unsoundness(error, where);
  return detail === null ? error : new UnsoundZip(detail);
}

/** What is wrong with what was read from a zip, by the error of reading it; null for errors of the system. */
export function unsoundness(error: unknown, where: string): string | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof UnsoundZip) return error.message;
  // Errors of yauzl, zlib and those who read its bytes are about the file; errors of
  // the system have upper-case codes.
  const { code } = error as { code?: unknown };
  const by_zlib = typeof code === "string" && /^(Z_|ERR_ENCODING)/.test(code);
  if (typeof code === "string" && !by_zlib) return null;
  const [detail] = error.message.split("\n");
  return `${where}: ${detail.slice(0, 200).replace(/\.$/, "")}`;
}

/** Whether the file at `path` ends as a zip does: with the record that says where its list of files is. */
export async function endsAsZip(path: string): Promise<boolean> {
  using file = await openRegularFile(path);
  const { size } = await file.stat();
  const length = Math.min(size, END_BYTES + MAX_COMMENT_BYTES);
  const end = await readRange(file, { offset: size - length, length });
  const view = new DataView(end.buffer);
  for (let at = end.length - END_BYTES; at >= 0; at--) {
    if (
      view.getUint32(at, true) === 0x06054b50 &&
      view.getUint16(at + 20, true) === end.length - END_BYTES - at
    ) return true;
  }
  return false;
}

async function entriesOf(file: ZipFile): Promise<Map<string, ZipEntry>> {
  const entries = new Map<string, ZipEntry>();
  for await (const entry of file.eachEntry()) {
    const { fileName } = entry;
    if (entries.size >= MAX_ENTRIES) {
      throw new UnsoundZip(`more than ${MAX_ENTRIES} files in it`);
    }
    const name = fileName.toLowerCase();
    if (entries.has(name)) {
      throw new UnsoundZip(
        `two files ${JSON.stringify(fileName.slice(0, 60))} in it`,
      );
    }
    entries.set(name, entry);
  }
  requireApart([...entries.values()]);
  return entries;
}

// A small zip can hold an endless amount where its files share their bytes.
function requireApart(entries: readonly ZipEntry[]): void {
  const offsetOf = (entry: ZipEntry) => entry.relativeOffsetOfLocalHeader;
  const sorted = entries.toSorted((a, b) => offsetOf(a) - offsetOf(b));
  let end = 0;
  for (const entry of sorted) {
    if (offsetOf(entry) < end) {
      throw new UnsoundZip("files in it overlap each other");
    }
    end = offsetOf(entry) + LOCAL_HEADER_BYTES + entry.fileNameLength +
      entry.compressedSize;
  }
}
