/** A temporary folder of exports that goes away with the test that made it. */

import { dirname } from "node:path";

/** Files by their path below the folder: text or bytes. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder that is removed at the end of its block. */
export interface DataFolder extends AsyncDisposable {
  /** Its real path, without a slash at the end. */
  readonly path: string;
  /** Writes more files, or others of the same name. */
  write(files: Files): Promise<void>;
}

/** Makes a folder with `files` in it. */
export async function dataFolder(files: Files = {}): Promise<DataFolder> {
  const path = await Deno.realPath(
    await Deno.makeTempDir({ prefix: "test-data-" }),
  );
  const folder: DataFolder = {
    path,
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        const file = `${path}/${name}`;
        await Deno.mkdir(dirname(file), { recursive: true });
        if (typeof content === "string") {
          await Deno.writeTextFile(file, content);
        } else await Deno.writeFile(file, content);
      }
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
  await folder.write(files);
  return folder;
}

/** The names of what lies in a folder, hidden ones too, sorted. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort();
}

/** The names of what lies in a STATE_DIR, without the file that its process has locked. */
export async function keptIn(state: string): Promise<string[]> {
  return (await namesIn(state)).filter((name) => name !== "lock");
}

/** A CSV text of rows of cells, every cell quoted. */
export function csv(...rows: readonly (readonly string[])[]): string {
  const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  return rows.map((row) => `${row.map(quoted).join(",")}\n`).join("");
}
