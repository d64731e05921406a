/** Unpacks a ZIP of exports into staging, so that the files in it are files like those beside it. */

import type { Mapping, Source } from "../mapping/mapping.ts";
import { MAPPING_FILE } from "../mapping/mapping_file.ts";
import { byCodePoint } from "../model/code_points.ts";
import { tableOf } from "../model/contract.ts";
import { createPause } from "../model/pause.ts";
import {
  changed,
  type LoadProblem,
  refused,
  stagingFull,
} from "../model/problems.ts";
import type { IgnoredFile } from "../model/report.ts";
import type { Pace } from "../pace.ts";
import { type FileKind, kindOf, wrongKind } from "./file_kind.ts";
import {
  type Folder,
  type FoundFile,
  foundFile,
  type FoundZip,
  identityOf,
  isOfSpark,
  isUnfinished,
  sourcesOf,
  type TableFile,
} from "./find_files.ts";
import { isProof } from "./proofs.ts";
import { writeAll } from "./write_all.ts";
import { UnsoundZip, Zip, type ZipEntry } from "./zip.ts";

/** How ZIP archives are unpacked. */
export interface UnpackOptions {
  /** A folder for the files in it; who made it removes it. */
  readonly folder: string;
  /** The largest file in bytes, unpacked. */
  readonly max_file_bytes: number;
  /** The largest size of the exports in one archive in bytes, unpacked. */
  readonly zip_max_bytes: number;
  /** Awaited between chunks, where others need the thread. */
  readonly pace?: Pace;
  /** When it is aborted, unpacking ends and throws its reason. */
  readonly signal?: AbortSignal;
}

/** What a file in a ZIP is by its name: an export, or why it is none. */
export type ExportOf = (
  file: string,
  place: {
    /** Without its folders. */
    readonly name: string;
    /** The innermost folder that is named after a table, or by a source. */
    readonly folder: Folder | undefined;
  },
) => FoundFile | string;

/** What was in a ZIP. */
export interface Unpacked {
  /** Its files with exports, by path in code-point order, in the folder now. */
  readonly files: readonly TableFile[];
  readonly ignored: readonly IgnoredFile[];
}

/** A file in a ZIP that is an export by its name. */
interface Member {
  readonly entry: ZipEntry;
  readonly file: TableFile;
}

/** Texts are packed to a fifth or a tenth: more than this is a bomb, where it is much. */
const MAX_RATIO = 250;
const MUCH_BYTES = 1 << 26;
/** With a workbook in it that is not packed, a ZIP looks like one from outside. */
const KINDS_OF_ZIP: readonly FileKind[] = [
  "a zip archive",
  "an Excel workbook",
  "an OpenDocument spreadsheet",
];
/** Characters of a name with its folders. */
const MAX_NAME_LENGTH = 1_000;
/** What macOS adds for itself. */
const OF_MACOS = "__MACOSX";
/** The ways in which bytes are packed: not at all, or by Deflate. */
const METHODS = [0, 8];
/** The high byte of the version, where Unix made an entry. */
const BY_UNIX = 3;
/** The kind of a file in the mode of Unix, and that of a regular one. */
const KIND_BITS = 0xf000;
const REGULAR = 0x8000;

/**
 * Unpacks the exports in the archive `zip`. Throws a refusal when it is not sound or
 * too large, and what Deno does when it may not be read.
 */
export async function unpackZip(
  zip: FoundZip,
  { mapping, ...options }: UnpackOptions & {
    readonly mapping: Mapping | null;
  },
): Promise<Unpacked> {
  const sources = mapping?.sources ?? [];
  return await unpack(zip, {
    ...options,
    sources,
    text_bytes: Infinity,
    exportOf: (file, { name, folder }) =>
      foundFile(file, {
        path: zip.path,
        folder,
        sources: folder?.sources ?? sourcesOf(sources, name),
      }),
  });
}

/** The same for what `exportOf` takes for an export, and of texts no more than `text_bytes`. */
export async function unpackBegins(
  zip: Pick<FoundZip, "file" | "path">,
  options: UnpackOptions & {
    readonly exportOf: ExportOf;
    readonly text_bytes: number;
  },
): Promise<Unpacked> {
  const found: FoundZip = {
    ...zip,
    format: "zip",
    table: null,
    sources: [],
    part: false,
  };
  return await unpack(found, { ...options, sources: [] });
}

async function unpack(
  zip: FoundZip,
  { folder, pace, signal, text_bytes, ...options }: UnpackOptions & {
    readonly sources: readonly Source[];
    readonly exportOf: ExportOf;
    readonly text_bytes: number;
  },
): Promise<Unpacked> {
  const { path } = zip;
  await requireZip(zip);
  const info = await Deno.stat(path);
  const before = identityOf(info);
  // The file may have been replaced since it was checked.
  if (before !== (zip.identity ?? before)) throw changed(zip);
  try {
    using archive = await Zip.open(path);
    if (archive.entries.has("xl/workbook.xml")) {
      throw wrongKind(zip.file, "an Excel workbook");
    }
    const { members, ignored } = await membersOf(zip, archive, options);
    for (const { entry, file } of members) requireReadable(file, entry);
    requireBounds(zip, members, { ...options, size: info.size });
    const files: TableFile[] = [];
    for (const { entry, file } of members) {
      // The names in the archive name nothing on the disk.
      const to = `${folder}/${crypto.randomUUID()}`;
      const most = file.format === "text" ? text_bytes : Infinity;
      await write(archive.read(entry), { to, most, pace, signal });
      const identity = identityOf(await Deno.stat(to));
      files.push({ ...file, path: to, identity });
    }
    if (identityOf(await Deno.stat(path)) !== before) throw changed(zip);
    return { files, ignored };
  } catch (error) {
    if (!(error instanceof UnsoundZip)) throw stagingFull(error) ?? error;
    throw refused(notSound(zip, error.message));
  }
}

async function requireZip({ file, path }: FoundZip): Promise<void> {
  const kind = await kindOf(path);
  if (kind !== null && !KINDS_OF_ZIP.includes(kind)) {
    throw wrongKind(file, kind);
  }
}

/** The files in a ZIP that are exports by their names, and those that are not. */
async function membersOf(
  zip: FoundZip,
  { entries }: Zip,
  { sources, exportOf }: {
    readonly sources: readonly Source[];
    readonly exportOf: ExportOf;
  },
): Promise<
  { members: readonly Member[]; ignored: readonly IgnoredFile[] }
> {
  const members: Member[] = [];
  const ignored: IgnoredFile[] = [];
  // Before they are compared, which takes longer with longer names.
  for (const { fileName } of entries.values()) requireName(zip, fileName);
  const in_order = Array.from(entries.values())
    .sort((a, b) => byCodePoint(a.fileName, b.fileName));
  const pause = createPause();
  for (const entry of in_order) {
    await pause();
    const folders = entry.fileName.split("/");
    const name = folders.pop()!;
    if (name === "" || isUnfinished(name) || folders.some(isHidden)) continue;
    const file = `${zip.file}/${entry.fileName}`;
    const of_parts = zip.part ? null : folderOfParts(folders, sources);
    const folder = zip.part ? zip : of_parts?.folder;
    if (folder && isOfSpark(name)) continue;
    const found = isProof(name) || name === MAPPING_FILE
      ? "read only beside the ZIP"
      : exportOf(file, { name, folder });
    if (typeof found === "string") ignored.push({ file, reason: found });
    else if (found.format === "zip") throw refused(nested(found));
    else {
      const place = zip.part
        ? zip.file.split("/").slice(0, -1)
        : of_parts?.path ?? [];
      const stands_at = [...place, name].join("/");
      members.push({ entry, file: { ...found, stands_at } });
    }
  }
  return { members, ignored };
}

/** Throws a refusal of the name of a file in a ZIP that cannot be one of an export. */
function requireName(zip: FoundZip, name: string): void {
  // Reports and logs name a file in one line.
  if (/\p{Cc}/u.test(name)) {
    throw refused(notSound(zip, "a control character in the name of a file"));
  }
  if (name.length > MAX_NAME_LENGTH) {
    throw refused(
      notSound(zip, `a name of more than ${MAX_NAME_LENGTH} characters`),
    );
  }
}

function isHidden(folder: string): boolean {
  return folder === OF_MACOS || isUnfinished(folder);
}

/** The innermost of the folders that are named after a table or by a source, and the path from it on; undefined where none is. */
function folderOfParts(
  folders: readonly string[],
  sources: readonly Source[],
): { folder: Folder; path: readonly string[] } | undefined {
  return folders.map((name, i) => {
    const of_name = sourcesOf(sources, name);
    const table = of_name.length > 0 ? null : tableOf(name) ?? null;
    return { folder: { table, sources: of_name }, path: folders.slice(i) };
  }).findLast(({ folder: { table, sources } }) =>
    table !== null || sources.length > 0
  );
}

/** Throws a refusal of an export that is a link, or cannot be unpacked. */
function requireReadable({ file }: TableFile, entry: ZipEntry): void {
  const { versionMadeBy, externalFileAttributes, compressionMethod } = entry;
  const kind = externalFileAttributes >>> 16 & KIND_BITS;
  const refuse = (problem: string, remedy: string) => {
    throw refused({ file, problem, remedy });
  };
  if (versionMadeBy >>> 8 === BY_UNIX && kind !== 0 && kind !== REGULAR) {
    refuse("a link or the like, not a file", "Pack the file itself");
  }
  if (entry.isEncrypted()) {
    refuse("packed with a password", "Pack it again without one");
  }
  if (!METHODS.includes(compressionMethod)) {
    refuse(
      `packed by method ${compressionMethod}, not by Deflate`,
      "Pack it again as an ordinary ZIP, or deliver the file itself",
    );
  }
}

/** Throws a refusal of exports that would unpack to too much, by what the archive claims: it cannot hold more. */
function requireBounds(
  { file }: FoundZip,
  members: readonly Member[],
  { max_file_bytes, zip_max_bytes, size }: {
    readonly max_file_bytes: number;
    readonly zip_max_bytes: number;
    readonly size: number;
  },
): void {
  const refuse = (file: string, { problem, setting }: Excess) => {
    const remedy = "Deliver the files themselves";
    throw refused({
      file,
      problem,
      remedy: setting ? `${remedy}, or raise ${setting}` : remedy,
    });
  };
  let bytes = 0;
  for (const { entry: { uncompressedSize }, file } of members) {
    bytes += uncompressedSize;
    if (uncompressedSize <= max_file_bytes) continue;
    refuse(file.file, {
      problem: `more than ${max_file_bytes} bytes unpacked`,
      setting: "MAX_FILE_BYTES",
    });
  }
  if (bytes > zip_max_bytes) {
    refuse(file, {
      problem: `more than ZIP_MAX_BYTES=${zip_max_bytes} bytes unpacked`,
      setting: "ZIP_MAX_BYTES",
    });
  }
  if (bytes > MUCH_BYTES && bytes > MAX_RATIO * size) {
    refuse(file, {
      problem: `unpacks to more than ${MAX_RATIO} times its size`,
    });
  }
}

/** Why something is too large, and the setting that allows it, if any. */
interface Excess {
  readonly problem: string;
  readonly setting?: string;
}

function nested({ file }: FoundZip): LoadProblem {
  return {
    file,
    problem: "a ZIP in a ZIP",
    remedy: "Pack the files themselves, or deliver it beside the other",
  };
}

function notSound({ file }: FoundZip, detail: string): LoadProblem {
  return /encrypt/.test(detail)
    ? {
      file,
      problem: "packed with a password",
      remedy: "Pack it again without one",
    }
    : {
      file,
      problem: `not a sound ZIP: ${detail}`,
      remedy: "Pack the files again, and replace it whole",
    };
}

async function write(
  chunks: AsyncIterable<Uint8Array>,
  { to, most, pace, signal }: {
    readonly to: string;
    /** So many bytes are enough. */
    readonly most: number;
  } & Pick<UnpackOptions, "pace" | "signal">,
): Promise<void> {
  using file = await Deno.open(to, { write: true, createNew: true });
  let bytes = 0;
  for await (const chunk of chunks) {
    await writeAll(file, chunk);
    bytes += chunk.length;
    if (bytes >= most) return;
    signal?.throwIfAborted();
    await pace?.();
  }
}
