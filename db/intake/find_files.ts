/** Finds the exports in the data folder, and lists the other files. */

import { byCodePoint } from "../model/code_points.ts";
import { type LoadProblem, refused, StoreError } from "../model/problems.ts";
import type { IgnoredFile } from "../model/report.ts";
import { isDenied, isOfSystem } from "../model/system_errors.ts";
import type { Source } from "../mapping/mapping.ts";
import { MAPPING_FILE, MAPPING_SCHEMA_FILE } from "../mapping/mapping_file.ts";
import { type Table, type TableName, tableOf } from "../model/contract.ts";
import { findMapping, type FoundMapping } from "./find_mapping.ts";
import { isNowhere } from "./open_regular_file.ts";
import { isProof } from "./proofs.ts";
import { unreadableThere } from "./unreadable.ts";

/** An export to load: a file, or a sheet of a workbook. */
export interface SourceFile {
  /** Path below the data folder, with `/`; of a sheet, its name behind it. */
  readonly file: string;
  readonly path: string;
  readonly table: TableName;
  readonly format: "text" | "parquet" | "xlsx";
  readonly gzip: boolean;
  /** Whether it is one of several parts of an export, in a folder or a workbook. */
  readonly part: boolean;
  /** The result of `identityOf` when it was found; absent when it was not asked. */
  readonly identity?: string;
  /** The name of the sheet in a workbook. */
  readonly sheet?: string;
  /** The source of tally.toml to which it belongs; absent when it follows the built-in contract. */
  readonly source?: Source;
  /** With a source, the name of the file itself, without its folders and sheet. */
  readonly name?: string;
  /** The columns that it must have; those of the built-in contract where it is left out. */
  readonly layout?: Table;
}

/** What the name and the place of a file with exports say of it. */
interface Named
  extends Pick<SourceFile, "file" | "path" | "part" | "identity"> {
  /** Null for a workbook or a ZIP whose name is no table: what is in it decides. */
  readonly table: TableName | null;
  /** The sources of tally.toml to which it belongs; empty when it follows the built-in contract. */
  readonly sources: readonly Source[];
}

/** A file of the table it is named after, or a workbook of any name. */
export interface TableFile extends Named, Pick<SourceFile, "format" | "gzip"> {
  /** Of a file in a ZIP, the path below the data folder where it counts as lying. */
  readonly stands_at?: string;
}

/** A ZIP of any name, whose files are as those beside it. */
export interface FoundZip extends Named {
  readonly format: "zip";
}

/** A file with exports. */
export type FoundFile = TableFile | FoundZip;

/** The files in the data folder. */
export interface Found {
  /** By path, in code-point order of the names in it. */
  readonly files: readonly FoundFile[];
  readonly ignored: readonly IgnoredFile[];
  /** The folders of parts whose job has not ended, and what to do. */
  readonly unfinished: readonly FolderProblem[];
  /** The folders of parts that cannot be read as such, and why. */
  readonly unusable: readonly FolderProblem[];
  /** The checksums and the manifest, whether the files that they describe are there or not. */
  readonly proofs: readonly Pick<FoundFile, "file" | "path">[];
  /** What tally.toml says; null where there is none. */
  readonly mapping: FoundMapping | null;
  /** tally.toml itself; null where there is none. */
  readonly mapping_file: TableFile | null;
}

/** A folder with the parts of an export. */
export type Folder = Pick<FoundFile, "table" | "sources">;

/** Why a folder of parts cannot be loaded. */
export interface FolderProblem extends Folder {
  readonly problem: LoadProblem;
}

/** A file that counts as the one of that name in the data folder, there or not. */
export interface Replacement {
  /** Its name in the data folder. */
  readonly file: string;
  /** Where it lies. */
  readonly path: string;
}

/** The data folder as it is, or as it would be with another file in it. */
export interface FolderView {
  /** Absent for the folder as it is. */
  readonly replacement?: Replacement | undefined;
}

const FORMATS =
  /^(?<stem>.+?)\.((?<text>csv|tsv)(?<gzip>\.gz)?|parquet|(?<book>xlsx?)|(?<zip>zip))$/i;
/** Why a file that is none of an export is not read. */
export const NO_FORMAT =
  "not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip";
/** What Spark writes beside the parts of an export, for itself. */
const SUCCESS = "_SUCCESS";
const TEMPORARY = "_temporary";
const STARTED = /^_started_(?<job>\d+)$/;
const OF_SPARK =
  /^_(SUCCESS|temporary|metadata|common_metadata|(started|committed)_\d+)$/;
/** Why a folder that is called like a text is not read. */
const NO_SUCCESS =
  `no ${SUCCESS} in it, so its job has not ended, or it is no folder of Spark`;
const UNFINISHED = /^\.|^~\$|\.(tmp|part|crdownload|swp)$|~$/i;

/** Where the file of that name in the data folder `root` lies. */
export function placeOf(
  file: string,
  { root, replacement }: FolderView & { readonly root: string },
): string {
  return file === replacement?.file ? replacement.path : `${root}/${file}`;
}

/**
 * Lists the data folder and the folders named after a table in it. Throws what Deno
 * does, and a refusal when something in it that is a table's may not be read.
 */
export async function findFiles(
  data_dir: string,
  { replacement }: FolderView = {},
): Promise<Found> {
  const root = await Deno.realPath(data_dir);
  const files: FoundFile[] = [];
  const ignored: IgnoredFile[] = [];
  const unfinished: FolderProblem[] = [];
  const unusable: FolderProblem[] = [];
  const proofs: Pick<FoundFile, "file" | "path">[] = [];
  const mapping_file = await lookForMapping({ root, replacement });
  const mapping = mapping_file && await findMapping(mapping_file.path);

  async function look(file: string, folder?: Folder): Promise<void> {
    const path = placeOf(file, { root, replacement });
    const name = file.slice(file.lastIndexOf("/") + 1);
    if (isUnfinished(name)) return;
    if (folder && isOfSpark(name)) return;
    if (isProof(name)) return void proofs.push({ file, path });
    if (file === MAPPING_FILE && mapping_file) return;
    // Editors look for it beside the mapping; nothing here does.
    if (file === MAPPING_SCHEMA_FILE) return;
    const ignore = (reason: string) => void ignored.push({ file, reason });
    const fail = (error: unknown): never => {
      throw unreadableThere(file, error);
    };

    // Reports and logs name a file in one line.
    if (/\p{Cc}/u.test(name)) return ignore("a control character in its name");

    const format = name.match(FORMATS)?.groups;
    const sources = folder?.sources ??
      sourcesOf(mapping?.mapping?.sources ?? [], name);
    const table = sources.length > 0
      ? null
      : folder?.table ?? tableOf(format?.stem ?? name);
    const is_named = table || sources.length > 0;
    const holds_files = format?.book ?? format?.zip;
    let real_path: string;
    let info: Deno.FileInfo;
    try {
      real_path = await Deno.realPath(path);
      info = await Deno.stat(real_path);
    } catch (error) {
      // An export that is there is never left out because its mount fails for a moment.
      if ((is_named || holds_files) && !isNowhere(error)) fail(error);
      const reason = await whyNowhere(path, error);
      return reason === null ? undefined : ignore(reason);
    }

    const is_inside = real_path.startsWith(`${root}/`) ||
      file === replacement?.file;
    if ((is_named || holds_files) && !is_inside) {
      return ignore("a link out of the data folder");
    }
    if (info.isDirectory && is_named && !folder && !holds_files) {
      const entries = await list(path).catch(fail);
      const parts: Folder = { table: table ?? null, sources };
      const kind = await tableFormat(path, entries);
      if (kind) {
        const problem =
          `${kind}, whose folder also has files that no longer count`;
        const remedy = "Export it as plain Parquet";
        unusable.push({ ...parts, problem: { file, problem, remedy } });
        return;
      }
      const job = unendedJob(entries);
      if (job) unfinished.push({ ...parts, problem: { file, ...job } });
      // Spark calls the folder by what its parts are: interactions.parquet.
      if (!format?.text || entries.includes(SUCCESS)) {
        for (const entry of entries) await look(`${file}/${entry}`, parts);
        return;
      }
      return job ? undefined : ignore(NO_SUCCESS);
    }
    if (info.isDirectory && folder) {
      const parent = file.slice(0, file.lastIndexOf("/") + 1);
      // The first stands for them all: partitions may be thousands.
      const is_known = unusable.some(({ problem }) =>
        problem.file?.startsWith(parent)
      );
      if (is_known) return;
      const may_hold_parts = await mayHoldParts(path).catch(fail);
      if (may_hold_parts) {
        const problem = "a folder inside a folder of parts";
        const remedy = "Export without partitions, or move its files up";
        unusable.push({ ...folder, problem: { file, problem, remedy } });
        return;
      }
    }
    if (info.isDirectory) return ignore("a folder that is not a table's");
    if (!info.isFile) return ignore("not a regular file");
    const found = foundFile(file, { path: real_path, folder, sources });
    if (typeof found === "string") return ignore(found);
    files.push({ ...found, identity: identityOf(info) });
  }

  const names = await list(root);
  const added = replacement && !names.includes(replacement.file)
    ? [replacement.file]
    : [];
  for (const entry of inOrder([...names, ...added])) await look(entry);
  return {
    files,
    ignored,
    unfinished,
    unusable,
    proofs,
    mapping,
    mapping_file,
  };
}

/** The kind of table whose log lies beside its files, by the entries of their folder at `path`; null for none. */
async function tableFormat(
  path: string,
  entries: readonly string[],
): Promise<string | null> {
  if (entries.includes("_delta_log")) return "a Delta Lake table";
  if (entries.includes(".hoodie")) return "a Hudi table";
  if (!entries.includes("metadata")) return null;
  // No folder has no names; one that may not be listed is judged as others are.
  const metadata = await list(`${path}/metadata`).catch(() => []);
  return metadata.some((name) => name.endsWith(".metadata.json"))
    ? "an Iceberg table"
    : null;
}

/** The job that is still writing a folder with these entries; undefined where none is. */
function unendedJob(
  entries: readonly string[],
): Omit<LoadProblem, "file"> | undefined {
  // Spark removes it before it writes _SUCCESS, so beside one a later job is at work.
  if (entries.includes(TEMPORARY)) {
    return {
      problem: `is still being written: ${TEMPORARY} is in it`,
      remedy: `Finish the job that writes it, or remove ${TEMPORARY}`,
    };
  }
  const started = entries.find((entry) => {
    const { job } = STARTED.exec(entry)?.groups ?? {};
    return job !== undefined && !entries.includes(`_committed_${job}`);
  });
  return started === undefined ? undefined : {
    problem: `is still being written: ${started} is in it`,
    remedy:
      `Finish the job that writes it, or remove ${started} with the parts of that job`,
  };
}

/** The sources to which a file or folder of that name belongs. */
export function sourcesOf(
  sources: readonly Source[],
  name: string,
): readonly Source[] {
  return sources.filter((source) => source.has(name));
}

/** tally.toml; null where there is none. Throws a refusal of anything else by that name: without it, the same files mean something else. */
async function lookForMapping(
  folder: FolderView & { readonly root: string },
): Promise<TableFile | null> {
  const { root, replacement } = folder;
  const path = placeOf(MAPPING_FILE, folder);
  const refuse = (problem: string) => {
    throw refused({
      file: MAPPING_FILE,
      problem,
      remedy: "Put the file itself into the data folder, or remove it",
    });
  };
  try {
    const real_path = await Deno.realPath(path);
    const info = await Deno.stat(real_path);
    // Elsewhere it could be anything, such as a file of another user.
    const is_inside = real_path.startsWith(`${root}/`) ||
      replacement?.file === MAPPING_FILE;
    if (!is_inside) refuse("a link out of the data folder");
    if (!info.isFile) refuse(info.isDirectory ? "a folder" : "no regular file");
    return {
      file: MAPPING_FILE,
      path: real_path,
      table: null,
      sources: [],
      format: "text",
      gzip: false,
      part: false,
      identity: identityOf(info),
    };
  } catch (error) {
    if (error instanceof StoreError) throw error;
    if (!isNowhere(error)) throw unreadableThere(MAPPING_FILE, error);
    const nowhere = await whyNowhere(path, error);
    if (nowhere) refuse(nowhere);
    return null;
  }
}

/** Finds the exports of a folder. Throws a refusal when it cannot be listed. */
export async function listExports(
  data_dir: string,
  view: FolderView = {},
): Promise<Found> {
  try {
    return await findFiles(data_dir, view);
  } catch (error) {
    const problem = await dataDirProblem(data_dir);
    throw problem ? refused(problem) : error;
  }
}

/** Why the data folder cannot be listed, such as a mount that is gone; null when it can. */
export async function dataDirProblem(
  data_dir: string,
): Promise<LoadProblem | null> {
  try {
    await Deno.readDir(await Deno.realPath(data_dir))[Symbol.asyncIterator]()
      .next();
    return null;
  } catch (error) {
    const problem = error instanceof Deno.errors.NotFound
      ? "does not exist"
      : error instanceof Deno.errors.NotADirectory
      ? "is not a folder"
      : isDenied(error)
      ? "may not be read"
      : null;
    if (problem) {
      return {
        problem: `DATA_DIR=${data_dir} ${problem}`,
        remedy:
          "Set DATA_DIR to a folder with the exports that this process may read",
      };
    }
    const broken = systemProblem(data_dir, error);
    if (broken) return broken;
    throw error;
  }
}

/** The text of a system error about the folder; undefined for other errors. */
export function systemProblem(
  data_dir: string,
  error: unknown,
): LoadProblem | undefined {
  if (!isOfSystem(error)) return undefined;
  return {
    problem: `DATA_DIR=${data_dir} cannot be read: ${error.message}`,
    remedy: "Check the disk, the mount and the rights of this process",
  };
}

/** Why a listed file cannot be found; null when it was removed since then. */
async function whyNowhere(
  path: string,
  error: unknown,
): Promise<string | null> {
  if (error instanceof Deno.errors.FilesystemLoop) return "a link to itself";
  // Deno lists bytes that are no text under a name that opens nothing.
  if (path.includes("\ufffd")) return "a name that is not UTF-8";
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null) return null;
  return info.isSymlink ? "a link to nothing" : "may not be read";
}

/** Identifies a state of a file: the file itself, its size, the time of its last change, and who may read it. */
export function identityOf(
  { dev, ino, size, mtime, ctime, mode, uid, gid }: Deno.FileInfo,
): string {
  const changed_at = [mtime?.getTime(), ctime?.getTime()];
  // A file that may be read from now on has the same ctime, which Deno gives in whole
  // seconds, as the one that was refused a moment before.
  return [dev, ino, size, ...changed_at, mode, uid, gid].join(" ");
}

/**
 * The export that `file`, a path below the data folder, is by its name: a part of
 * the export in `folder` where given, and of `sources`. If it is none, why.
 */
export function foundFile(
  file: string,
  { path, folder, sources = [] }: {
    readonly path: string;
    readonly folder?: Folder;
    readonly sources?: readonly Source[];
  },
): FoundFile | string {
  const name = file.slice(file.lastIndexOf("/") + 1);
  const format = name.match(FORMATS)?.groups;
  if (!format) {
    return file.toLowerCase() === MAPPING_FILE
      ? `its name must be ${MAPPING_FILE}, in small letters`
      : NO_FORMAT;
  }
  const is_mapped = sources.length > 0;
  const table = is_mapped
    ? null
    : folder?.table ?? tableOf(format.stem) ?? null;
  const named = { file, path, table, sources, part: folder !== undefined };
  if (format.zip) return { ...named, format: "zip" };
  const is_workbook = format.book?.toLowerCase() === "xlsx";
  if (is_mapped && format.book && !is_workbook) return NO_FORMAT;
  if (!table && !is_mapped && !is_workbook) {
    return format.book ? NO_FORMAT : "not the name of a table";
  }
  return {
    ...named,
    format: format.text ? "text" : format.book ? "xlsx" : "parquet",
    gzip: Boolean(format.gzip),
  };
}

/** The format that the name of a file says; null where it is none that can be read. */
export function formatOf(
  name: string,
): Pick<SourceFile, "format" | "gzip"> | null {
  const format = name.match(FORMATS)?.groups;
  if (!format || format.zip || format.book?.toLowerCase() === "xls") {
    return null;
  }
  return {
    format: format.text ? "text" : format.book ? "xlsx" : "parquet",
    gzip: Boolean(format.gzip),
  };
}

/** Whether Spark writes a file of that name for itself, beside the parts of an export. */
export function isOfSpark(name: string): boolean {
  return OF_SPARK.test(name);
}

/** Whether a file of that name is still being written, or an editor's own. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED.test(name);
}

/** Whether a folder inside one of parts has an export in it, or may have one further down. */
async function mayHoldParts(path: string): Promise<boolean> {
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (!isUnfinished(name) && (isDirectory || FORMATS.test(name))) return true;
  }
  return false;
}

async function list(folder: string): Promise<string[]> {
  return inOrder(
    await Array.fromAsync(Deno.readDir(folder), ({ name }) => name),
  );
}

function inOrder(names: string[]): string[] {
  return names.sort(byCodePoint);
}
