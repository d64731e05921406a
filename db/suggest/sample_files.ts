/** Takes samples of the files of a folder, through the readers that loading uses, and within limits. */

import { createGunzip } from "node:zlib";
import { pipeline, Readable } from "node:stream";
import { byCodePoint } from "../model/code_points.ts";
import { foldHeader } from "../model/contract.ts";
import { StoreError } from "../model/problems.ts";
import { isDenied } from "../model/system_errors.ts";
import { MAPPING_FILE, MAPPING_SCHEMA_FILE } from "../mapping/mapping_file.ts";
import { DELIMITERS, readPreamble, recordAt } from "../intake/csv_scanner.ts";
import { NotUtf8, Transcoder } from "../intake/encodings.ts";
import { requireKind } from "../intake/file_kind.ts";
import { formatOf, isUnfinished, NO_FORMAT } from "../intake/find_files.ts";
import { openRegularFile } from "../intake/open_regular_file.ts";
import { isProof } from "../intake/proofs.ts";
import { unpackBegins, type UnpackOptions } from "../intake/unpack_zip.ts";
import {
  type Cell,
  isEmptySheet,
  openBook,
  type RowTaker,
  SheetReader,
} from "../intake/stage_sheet.ts";
import {
  lengthOf,
  LIMITS,
  type Sample,
  type SampledColumn,
  type Unread,
  type UnusableColumn,
} from "./sample.ts";
import { isKey } from "./shown_values.ts";
import { commonest, findTable, type NumberedRecord } from "./text_table.ts";

/** The samples of a folder. */
export interface Samples {
  readonly samples: readonly Sample[];
  readonly unread: readonly Unread[];
}

/** What a file itself says of the values of a column. */
export type NativeType = "text" | "day" | "moment" | "local_time" | "nested";

/** The columns of a Parquet file, and some of its rows as texts. */
export interface ParquetRows {
  readonly names: readonly string[];
  readonly types: readonly NativeType[];
  readonly rows: readonly (readonly string[])[];
  readonly is_whole: boolean;
}

/** The settings by which files are read. */
export interface SampleOptions {
  readonly csv_encoding: string;
  readonly xlsx_max_bytes: number;
  /** How ZIPs are unpacked, into a folder that who made it removes. */
  readonly unpack: UnpackOptions;
  readonly readParquet: (path: string, share: Share) => Promise<ParquetRows>;
}

/** How much is read of one file. */
export interface Share {
  /** The most bytes of a text; of other files, the most characters of all cells. */
  readonly max_length: number;
  readonly max_rows: number;
}

// All samples are in memory at once.
function shareOf(files: number): Share {
  const share = Math.min(1, LIMITS.whole_files / files);
  return {
    max_length: Math.floor(share * LIMITS.bytes),
    max_rows: Math.floor(share * LIMITS.rows),
  };
}

interface ListedFile {
  /** Its own name, by which `files` of tally.toml finds it, in a ZIP too. */
  readonly file: string;
  readonly path: string;
  readonly format: Sample["format"];
  readonly gzip: boolean;
}

/** A file to look at, and where it is: in the folder, or in a ZIP in it. */
interface PlacedFile extends ListedFile {
  readonly place: string;
}

/** Takes a sample of every file in the folder, and in the ZIPs in it. Throws what Deno does when it cannot be listed. */
export async function sampleFolder(
  folder: string,
  options: SampleOptions,
): Promise<Samples> {
  const { files, unread } = await listFiles(folder, options);
  const samples: Sample[] = [];
  const share = shareOf(files.length);
  for (const { place, ...file } of files) {
    const found = await sampleFile(file, { ...options, ...share })
      .catch((error) => reasonOf(error, file.file));
    if (typeof found === "string") unread.push({ file: place, reason: found });
    else samples.push(...found);
  }
  return {
    samples,
    unread: unread.sort((a, b) => byCodePoint(a.file, b.file)),
  };
}

/** The files to look at, in the order of their names, and the others. */
async function listFiles(
  folder: string,
  { unpack }: SampleOptions,
): Promise<{ files: PlacedFile[]; unread: Unread[] }> {
  const root = await Deno.realPath(folder);
  const files: PlacedFile[] = [];
  const unread: Unread[] = [];
  const looked_at = new Set<string>();

  /** How a file of this name is read; why not, where it is not. */
  function look(name: string) {
    const format = formatOf(name);
    if (!format) return NO_FORMAT;
    if (looked_at.has(name)) return "another file of this name is looked at";
    if (looked_at.size >= LIMITS.files) {
      return `one of more than ${LIMITS.files} files`;
    }
    looked_at.add(name);
    return format;
  }

  async function lookInto(zip: string, path: string): Promise<void> {
    const { files: unpacked, ignored } = await unpackBegins(
      { file: zip, path },
      {
        ...unpack,
        // One byte more shows that a file is not whole.
        text_bytes: LIMITS.bytes + 1,
        exportOf(file, { name, folder }) {
          if (!isGlobbable(name)) return NO_GLOB;
          if (folder) return "in a folder of parts";
          const is_zip = ZIP.test(name);
          const format = is_zip ? null : look(name);
          if (typeof format === "string") return format;
          const found = { file, path, table: null, sources: [], part: false };
          return format ? { ...found, ...format } : { ...found, format: "zip" };
        },
      },
    );
    for (const { file, path, format, gzip } of unpacked) {
      const name = file.slice(file.lastIndexOf("/") + 1);
      files.push({ place: file, file: name, path, format, gzip });
    }
    unread.push(...ignored);
  }

  const names = await Array.fromAsync(Deno.readDir(root), ({ name }) => name);
  for (const file of names.sort(byCodePoint)) {
    if (
      isUnfinished(file) || isProof(file) || file === MAPPING_FILE ||
      file === MAPPING_SCHEMA_FILE
    ) continue;
    const skip = (reason: string) => void unread.push({ file, reason });
    try {
      if (!isGlobbable(file)) {
        skip(NO_GLOB);
        continue;
      }
      const path = await Deno.realPath(`${root}/${file}`);
      const { isFile, isDirectory } = await Deno.stat(path);
      if (isDirectory) skip("a folder: look at one of its parts by itself");
      else if (!isFile) skip("not a regular file");
      else if (!path.startsWith(`${root}/`)) {
        skip("a link out of the data folder");
      } else if (ZIP.test(file)) await lookInto(file, path);
      else {
        const format = look(file);
        if (typeof format === "string") skip(format);
        else files.push({ place: file, file, path, ...format });
      }
    } catch (error) {
      skip(reasonOf(error, file));
    }
  }
  return { files, unread };
}

function reasonOf(error: unknown, file: string): string {
  if (error instanceof StoreError) {
    return error.message.replace(`${file}: `, "").replace(`${file}, `, "");
  }
  if (isDenied(error)) return "may not be read";
  if (error instanceof Deno.errors.NotFound) return "a link to nothing";
  if (error instanceof Deno.errors.FilesystemLoop) return "a link to itself";
  throw error;
}

const ZIP = /\.zip$/i;
const NO_GLOB = "a name that no glob can have";

/** The most characters of a text in tally.toml. */
const MAX_LENGTH = 500;

function hasReadableText(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}|\ufffd/u.test(text);
}

/** Whether `files` of tally.toml can have the name of a file. */
function isGlobbable(name: string): boolean {
  return name.length <= MAX_LENGTH && hasReadableText(name) &&
    !/\*\*|\\/.test(name);
}

const NO_HEADER =
  "no line that looks like a header: name the columns in the first line";

async function sampleFile(
  file: ListedFile,
  options: SampleOptions & Share,
): Promise<Sample[] | string> {
  switch (file.format) {
    case "text":
      return await sampleText(file, options);
    case "xlsx":
      return await sampleBook(file, options);
    case "parquet": {
      await requireKind({ ...file, table: "interactions", part: false });
      const { names, types, rows, is_whole } = await options.readParquet(
        file.path,
        options,
      );
      return [{
        file: file.file,
        format: "parquet",
        footer_rows: 0,
        ...columnsOf(names, rows, { types }),
        rows: rows.length,
        is_whole,
      }];
    }
  }
}

async function sampleText(
  file: ListedFile,
  { csv_encoding, max_length, max_rows }: SampleOptions & Share,
): Promise<Sample[] | string> {
  await requireKind({ ...file, table: "interactions", part: false });
  const { bytes, is_whole: has_all_bytes } = await firstBytes(file, max_length);
  if (bytes.length === 0) {
    return has_all_bytes ? "empty" : "a damaged or cut gzip file";
  }
  const decoded = decode(bytes, { csv_encoding, last: has_all_bytes });
  const { delimiter: told, length, lines } = readPreamble(decoded, {
    whole: true,
  })!;
  const text = new TextDecoder().decode(decoded.subarray(length));
  const delimiter = told ?? delimiterOf(text);
  const { records, is_cut } = recordsOf(text, {
    delimiter,
    first_line: lines + 1,
    count: max_rows + 1,
  });
  // The last record of a part may not be there in whole.
  if (!has_all_bytes && !is_cut && records.length > 1) records.pop();
  const is_whole = has_all_bytes && !is_cut;
  const found = findTable(records, { is_whole });
  if (!found) return records.length === 0 ? "no value in it" : NO_HEADER;
  const { header, rows, header_row, footer_rows } = found;
  return [{
    file: file.file,
    format: "text",
    ...header_row !== undefined && { header_row },
    footer_rows,
    ...columnsOf(header, rows.map(({ cells }) => cells), {}),
    rows: rows.length,
    is_whole,
  }];
}

async function firstBytes(
  { path, gzip }: ListedFile,
  max_bytes: number,
): Promise<{ bytes: Uint8Array; is_whole: boolean }> {
  using file = await openRegularFile(path);
  const bytes = new Uint8Array(max_bytes);
  let length = 0;
  const take = (chunk: Uint8Array) => {
    const part = chunk.subarray(0, bytes.length - length);
    bytes.set(part, length);
    length += part.length;
    return part.length === chunk.length;
  };
  const chunks = async function* () {
    const buffer = new Uint8Array(1 << 16);
    for (;;) {
      const read = await file.read(buffer);
      if (read === null) return;
      yield buffer.slice(0, read);
    }
  };
  let is_whole = true;
  const packed = Readable.from(chunks());
  try {
    // What fails on the disk fails what is unpacked as well.
    const unpacked = gzip ? pipeline(packed, createGunzip(), () => {}) : packed;
    for await (const chunk of unpacked) {
      if (!take(chunk)) {
        is_whole = false;
        break;
      }
    }
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || !code.startsWith("Z_")) throw error;
    // Of a cut file, what is there shows its columns as well.
    is_whole = false;
  } finally {
    packed.destroy();
  }
  return { bytes: bytes.slice(0, length), is_whole };
}

function decode(
  bytes: Uint8Array,
  { csv_encoding, last }: {
    readonly csv_encoding: string;
    readonly last: boolean;
  },
): Uint8Array {
  try {
    const transcoder = new Transcoder(null);
    const text = transcoder.feed(bytes, last).bytes;
    if (!transcoder.is_doubtful) return text;
  } catch (error) {
    if (!(error instanceof NotUtf8)) throw error;
  }
  return new Transcoder(csv_encoding).feed(bytes, last).bytes;
}

/** The delimiter by which most lines have as many cells, and those more than one. */
function delimiterOf(text: string): string {
  const scored = DELIMITERS.map((delimiter) => {
    const lengths = recordsOf(text, { delimiter, first_line: 1, count: 50 })
      .records.map(({ cells }) => cells.length);
    const width = commonest(lengths);
    const like = lengths.filter((length) => length === width).length;
    return { delimiter, width, share: like / Math.max(1, lengths.length) };
  }).filter(({ width }) => width > 1);
  scored.sort((a, b) =>
    Math.round(4 * b.share) - Math.round(4 * a.share) || b.width - a.width
  );
  return scored.at(0)?.delimiter ?? ",";
}

function recordsOf(
  text: string,
  { delimiter, first_line, count }: {
    readonly delimiter: string;
    readonly first_line: number;
    readonly count: number;
  },
): { records: NumberedRecord[]; is_cut: boolean } {
  const records: NumberedRecord[] = [];
  let start = 0;
  let line = first_line;
  while (start < text.length && records.length < count) {
    const { cells, end, ended } = recordAt(text, delimiter, { start });
    if (!ended || end === start) return { records, is_cut: true };
    if (cells.some((cell) => cell !== "")) records.push({ line, cells });
    line += text.slice(start, end).match(/\r\n|\r|\n/g)?.length ?? 0;
    start = end;
  }
  return { records, is_cut: start < text.length };
}

async function sampleBook(
  { file, path }: ListedFile,
  { xlsx_max_bytes, max_rows, max_length }: SampleOptions & Share,
): Promise<Sample[] | string> {
  const book = await openBook(path, { file, max_bytes: xlsx_max_bytes });
  const { workbook, cells: reader } = book;
  try {
    const sheets: { name: string; part: string }[] = [];
    for (const { name, part, hidden } of workbook.sheets) {
      if (hidden || part === null || sheets.length >= 20) continue;
      if (!await isEmptySheet(workbook, part)) sheets.push({ name, part });
    }
    const samples: Sample[] = [];
    for (const { name, part } of sheets) {
      if (name.length > MAX_LENGTH || !hasReadableText(name)) continue;
      const records: NumberedRecord[] = [];
      const types: NativeType[] = [];
      let length = 0;
      const isCut = () =>
        records.length > max_rows || length >= max_length / sheets.length;
      const rows: RowTaker = {
        header_row: 0,
        columns: 0,
        settle: () => undefined,
        add(line: number, row: readonly Cell[]) {
          const cells: string[] = [];
          for (const cell of row) {
            if (cell.column >= LIMITS.columns) continue;
            const text = reader.textOf(cell, false);
            cells[cell.column] = text.slice(0, LIMITS.cell_length).trim();
            if (cell.type === "n" && /^\d{4}-\d\d-\d\d /.test(text)) {
              types[cell.column] = "local_time";
            }
          }
          const record = {
            line,
            cells: Array.from(cells, (one) => one ?? ""),
          };
          records.push(record);
          length += lengthOf(record.cells);
        },
      };
      const sheet = new SheetReader(workbook, rows);
      await workbook.read(part, {
        open: (name, attributes) => sheet.open(name, attributes),
        text: (text) => sheet.text(text),
        close: (name) => sheet.close(name),
        done: isCut,
      });
      const is_whole = !isCut();
      const found = findTable(records, { is_whole });
      if (!found) continue;
      const { header, header_row, footer_rows } = found;
      samples.push({
        file,
        ...sheets.length > 1 && { sheet: name },
        format: "xlsx",
        ...header_row !== undefined && { header_row },
        footer_rows,
        ...columnsOf(header, found.rows.map(({ cells }) => cells), {
          types,
        }),
        rows: found.rows.length,
        is_whole,
      });
    }
    return samples.length > 0 ? samples : NO_HEADER;
  } finally {
    workbook[Symbol.dispose]();
  }
}

/** The columns that tally.toml can name and a load can read, and others with a header. */
function columnsOf(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { types = [] }: { readonly types?: readonly NativeType[] },
): Pick<Sample, "columns" | "unusable"> {
  const folded = header.map(foldHeader);
  const count = Map.groupBy(folded, (name) => name);
  const columns: SampledColumn[] = [];
  const unusable: UnusableColumn[] = [];
  for (const [i, name] of header.slice(0, LIMITS.columns).entries()) {
    if (folded[i] === "") continue;
    const fault = headerFault(name);
    if (fault !== null) {
      unusable.push({ header: `column ${i + 1}`, reason: fault });
    } else if (count.get(folded[i])!.length > 1) {
      unusable.push({ header: name, reason: "another column has this name" });
    } else if (types[i] === "nested") {
      unusable.push({ header: name, reason: "its values are nested" });
    } else {
      const type = types[i] ?? "text";
      columns.push({
        header: name,
        cells: rows.map((cells) =>
          (cells[i] ?? "").slice(0, LIMITS.cell_length)
        ),
        has_native_dates: type !== "text",
        has_local_times: type === "local_time",
      });
    }
  }
  return { columns, unusable };
}

/** Why a header is neither shown nor used; null where it is. */
function headerFault(name: string): UnusableColumn["reason"] | null {
  // Where the line of headers is missing, the first row may have a key in it.
  if (isKey(name)) {
    return "its header looks like a key or a token: name the columns in the first line";
  }
  if (!hasReadableText(name)) {
    return "its header has broken characters, which another CSV_ENCODING may read";
  }
  return name.length > MAX_LENGTH
    ? "its header is too long for tally.toml"
    : null;
}
