/** A private folder of this process for staging and database files, and the removal of those that dead processes left. */

import { removeAll } from "../intake/remove_all.ts";
import { SettingError } from "../model/problems.ts";
import { isWithoutLocks, tryLock } from "./lock_file.ts";
import { folderError, STAGING_DIR } from "./setting_folder.ts";

/** A folder that only this process uses, until it is released. */
export interface WorkFolder {
  readonly path: string;
  release(): Promise<void>;
}

const PREFIX = "tally-";
const LOCK = "lock";

/**
 * Makes a folder in `parent`, by default the system's temporary one. Folders
 * there that a killed process left are removed: the system drops a process's
 * lock when it ends, however it ends. Throws a SettingError where it cannot be used.
 */
export async function claimWorkFolder(parent?: string): Promise<WorkFolder> {
  let made: string | undefined;
  try {
    if (parent) await Deno.mkdir(parent, { recursive: true });
    made = await Deno.makeTempDir({ dir: parent, prefix: PREFIX });
    const path = await Deno.realPath(made);
    if (path.includes("?")) throw questionMark(parent, path);
    // Locked before it gets its name, so that no other process finds it unlocked.
    const unnamed = `${path}/${LOCK}.new`;
    const lock = await tryLock(unnamed);
    await Deno.rename(unnamed, `${path}/${LOCK}`);
    await removeAbandoned(path.slice(0, path.lastIndexOf("/")), path);
    return {
      path,
      async release() {
        await removeAll(path);
        lock?.[Symbol.dispose]();
      },
    };
  } catch (error) {
    if (made) await Deno.remove(made, { recursive: true }).catch(() => {});
    if (made && isWithoutLocks(error)) {
      throw new SettingError(STAGING_DIR, {
        value: parent,
        problem:
          "must be on a file system that can lock files, such as a local disk",
      });
    }
    throw folderError({ setting: STAGING_DIR, path: parent }, error);
  }
}

// DuckDB takes what follows a question mark for options.
function questionMark(parent: string | undefined, path: string): SettingError {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return new SettingError(STAGING_DIR, {
    value: parent,
    problem: `must not lead to a folder with a ? in its path: ${folder}`,
  });
}

async function removeAbandoned(parent: string, own: string): Promise<void> {
  // The temporary folder may not be readable.
  const entries = await Array.fromAsync(Deno.readDir(parent)).catch((error) => {
    if (error instanceof Deno.errors.PermissionDenied) return [];
    throw error;
  });
  for (const { name, isDirectory } of entries) {
    const path = `${parent}/${name}`;
    if (!isDirectory || !name.startsWith(PREFIX) || path === own) continue;
    // Folders of other users, and folders that are being removed, are left alone.
    using lock = await tryLock(`${path}/${LOCK}`, { create: false })
      .catch(() => null);
    if (lock) await Deno.remove(path, { recursive: true }).catch(() => {});
  }
}
