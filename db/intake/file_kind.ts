/** Tells by its bytes what kind of file an export is, when its name says another one. */

import { refused, type StoreError } from "../model/problems.ts";
import type { SourceFile } from "./find_files.ts";
import { openRegularFile } from "./open_regular_file.ts";
import { readRange } from "./read_range.ts";

/** A kind of file, as sentences name it. */
export type FileKind =
  | "an Excel workbook"
  | "an old Excel workbook"
  | "an OpenDocument spreadsheet"
  | "a zip archive"
  | "a Parquet file"
  | "packed with gzip"
  | "an HTML page"
  | "XML"
  | "JSON"
  | "a PDF"
  | "text";

const HEAD_BYTES = 4_096;
/** A zip lists its files at its end. */
const TAIL_BYTES = 65_536;
const EXPORT_AGAIN = "Export it as CSV, Parquet or .xlsx";

/** How the name of a file of a kind ends, where it can be read. */
const ENDINGS: { readonly [kind in FileKind]?: string } = {
  "an Excel workbook": ".xlsx",
  "a Parquet file": ".parquet",
  "packed with gzip": ".csv.gz",
  "text": ".csv",
};

/** The kind of the file at `path`; null when its bytes do not say, or there are none. */
export async function kindOf(path: string): Promise<FileKind | null> {
  using file = await openRegularFile(path);
  const { size } = await file.stat();
  const head = await readRange(file, { offset: 0, length: HEAD_BYTES });
  // PARE begins one that is encrypted.
  if (/^PAR[1E]$/.test(binary(head.subarray(0, 4)))) return "a Parquet file";
  if (startsWith(head, "PK\x03\x04")) {
    const offset = Math.max(0, size - TAIL_BYTES);
    const tail = await readRange(file, { offset, length: TAIL_BYTES });
    return kindOfZip(binary(head) + binary(tail));
  }
  if (startsWith(head, "\x1f\x8b")) return "packed with gzip";
  if (startsWith(head, "\xd0\xcf\x11\xe0")) return "an old Excel workbook";
  if (startsWith(head, "%PDF-")) return "a PDF";
  const end = await readRange(file, {
    offset: Math.max(0, size - 4),
    length: 4,
  });
  if (binary(end) === "PAR1") return "a Parquet file";
  return kindOfText(head);
}

/**
 * Throws a refusal when `source` is of another kind than its name says. A workbook
 * is looked at when it is opened.
 */
export async function requireKind(source: SourceFile): Promise<void> {
  const { format, gzip } = source;
  if (format === "xlsx") return;
  const kind = await kindOf(source.path);
  const expected = gzip
    ? "packed with gzip"
    : format === "parquet"
    ? "a Parquet file"
    : "text";
  if (kind !== null && kind !== expected) throw wrongKind(source.file, kind);
}

/** The refusal of a file whose name says that it is of another kind. */
export function wrongKind(file: string, kind: FileKind): StoreError {
  const [ending = ""] = /(\.(csv|tsv)\.gz|\.[^./]+)$/i.exec(file) ?? [];
  const stem = file.slice(
    file.lastIndexOf("/") + 1,
    file.length - ending.length,
  );
  const right = ENDINGS[kind];
  return refused({
    file,
    problem: `its name ends in ${ending}, but it is ${kind}`,
    remedy: right === undefined
      ? `${EXPORT_AGAIN} and replace it`
      : `Rename it to ${stem}${right}, or export it again`,
  });
}

function kindOfZip(bytes: string): FileKind {
  if (/xl\/workbook\.|xl\/worksheets\//i.test(bytes)) {
    return "an Excel workbook";
  }
  return bytes.includes("vnd.oasis.opendocument.spreadsheet")
    ? "an OpenDocument spreadsheet"
    : "a zip archive";
}

function kindOfText(head: Uint8Array): FileKind | null {
  if (head.length === 0) return null;
  const is_wide = startsWith(head, "\xff\xfe") || startsWith(head, "\xfe\xff");
  // deno-lint-ignore no-control-regex -- what no text has
  if (!is_wide && /[\0-\x08\x0e-\x1f]/.test(binary(head))) return null;
  const text = binary(head).replace(/^\xef\xbb\xbf|^\xff\xfe|^\xfe\xff|\0/g, "")
    .trimStart();
  if (/^<(!doctype html|html|head|body|table|meta)\b/i.test(text)) {
    return "an HTML page";
  }
  if (/^<\?xml\s/.test(text)) {
    return /<html\b/i.test(text) ? "an HTML page" : "XML";
  }
  // A header of a CSV that begins with a bracket or brace goes on otherwise.
  return /^(\[\s*)*\{\s*("[^"]*"\s*:|\})|^\[\s*(\[|\])/.test(text)
    ? "JSON"
    : "text";
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return binary(bytes.subarray(0, text.length)) === text;
}

/** A character for each byte. */
function binary(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
