/** A private folder of this process for staging and database files, and the removal of those that dead processes left. */

/** A folder that is this process's alone until it is released. */
export interface WorkFolder {
  readonly path: string;
  release(): Promise<void>;
}

const PREFIX = "tally-";
const LOCK = "lock";

/**
 * Makes a folder in `parent`, by default the system's temporary one. Folders
 * there that a killed process left are removed: the system drops a process's
 * lock when it ends, however it ends.
 */
export async function claimWorkFolder(parent?: string): Promise<WorkFolder> {
  if (parent) await Deno.mkdir(parent, { recursive: true });
  const path = await Deno.realPath(
    await Deno.makeTempDir({ dir: parent, prefix: PREFIX }),
  );
  // Locked before it gets its name: nobody can find it free.
  const unnamed = `${path}/${LOCK}.new`;
  const lock = await Deno.open(unnamed, { write: true, create: true });
  await lock.lock(true);
  await Deno.rename(unnamed, `${path}/${LOCK}`);
  await removeAbandoned(path.slice(0, path.lastIndexOf("/")), path);
  return {
    path,
    async release() {
      await Deno.remove(path, { recursive: true });
      lock.close();
    },
  };
}

async function removeAbandoned(parent: string, own: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    const path = `${parent}/${name}`;
    if (!isDirectory || !name.startsWith(PREFIX) || path === own) continue;
    // Another user's folder, or one that is going away, is not ours to judge.
    const lock = await Deno.open(`${path}/${LOCK}`, { write: true })
      .catch(() => null);
    if (!lock) continue;
    using _ = lock;
    if (await lock.tryLock(true)) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}
