/** Finds the exports in the data folder and says what else lies there. */

import { type TableName, tableOf } from "./contract.ts";
import type { IgnoredFile } from "../store.ts";

/** An export to load. */
export interface SourceFile {
  /** Path below the data folder, with `/`. */
  readonly file: string;
  readonly path: string;
  readonly table: TableName;
  readonly format: "text" | "parquet";
  readonly gzip: boolean;
  /** Whether it is one of several parts of an export, in a folder. */
  readonly part: boolean;
}

/** What lies in the data folder. */
export interface Found {
  /** In the order they are loaded: by path, in code-point order. */
  readonly files: readonly SourceFile[];
  readonly ignored: readonly IgnoredFile[];
}

const FORMATS = /^(?<stem>.+?)\.((?<text>csv|tsv)(?<gzip>\.gz)?|parquet)$/i;
const UNFINISHED = /^\.|^~\$|\.(tmp|part|crdownload|swp)$|~$/i;

/** Lists the data folder and the folders named after a table in it. Throws what Deno does. */
export async function findFiles(data_dir: string): Promise<Found> {
  const root = await Deno.realPath(data_dir);
  const files: SourceFile[] = [];
  const ignored: IgnoredFile[] = [];

  async function look(file: string, folder_table?: TableName): Promise<void> {
    const path = `${root}/${file}`;
    const name = file.slice(file.lastIndexOf("/") + 1);
    if (UNFINISHED.test(name)) return;
    const ignore = (reason: string) => void ignored.push({ file, reason });

    const real_path = await Deno.realPath(path).catch(() => null);
    if (real_path === null) return ignore("a link to nothing");
    const format = name.match(FORMATS)?.groups;
    const table = folder_table ?? tableOf(format?.stem ?? name);
    const info = await Deno.stat(real_path);

    if (table && !real_path.startsWith(`${root}/`)) {
      return ignore("a link out of the data folder");
    }
    if (info.isDirectory && table && !folder_table && !format) {
      for (const entry of await list(path)) {
        await look(`${file}/${entry}`, table);
      }
      return;
    }
    if (info.isDirectory) return ignore("a folder that is not a table's");
    if (!info.isFile) return ignore("not a regular file");
    if (!format) return ignore("not .csv, .tsv, .csv.gz, .tsv.gz or .parquet");
    if (!table) return ignore("not the name of a table");
    files.push({
      file,
      path: real_path,
      table,
      format: format.text ? "text" : "parquet",
      gzip: Boolean(format.gzip),
      part: folder_table !== undefined,
    });
  }

  for (const entry of await list(root)) await look(entry);
  return { files, ignored };
}

async function list(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort(byCodePoint);
}

function byCodePoint(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0)!);
  const right = Array.from(b, (char) => char.codePointAt(0)!);
  const at = left.findIndex((point, i) => point !== right[i]);
  if (at < 0) return left.length - right.length;
  return left[at] - (right[at] ?? -1);
}
