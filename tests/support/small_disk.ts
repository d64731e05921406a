/** A disk of a few megabytes, which is soon full: a tmpfs, which only root may mount. */

import { dataFolder } from "./data_folder.ts";

/** A mounted disk; unmounted at the end of its block. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all the space that is left, until `free` is called. */
  fill(): Promise<void>;
  free(): Promise<void>;
}

async function run(program: string, ...args: readonly string[]) {
  const { success } = await new Deno.Command(program, {
    args: [...args],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** Mounts a disk of so many megabytes. Throws where this process may not. */
export async function smallDisk(megabytes: number): Promise<SmallDisk> {
  const folder = await dataFolder();
  const { path } = folder;
  const options = ["-t", "tmpfs", "-o", `size=${megabytes}m`];
  if (!await run("mount", ...options, "tmpfs", path)) {
    await folder[Symbol.asyncDispose]();
    throw new Error("this process may not mount a disk");
  }
  const filler = `${path}/.filler`;
  return {
    path,
    async fill() {
      using file = await Deno.open(filler, { create: true, append: true });
      for (const bytes of [1 << 16, 1]) {
        try {
          for (;;) await file.write(new Uint8Array(bytes));
        } catch {
          // Full, but for less than that.
        }
      }
    },
    free: () => Deno.remove(filler),
    async [Symbol.asyncDispose]() {
      // A process that has ended may still be closing its files.
      if (!await run("umount", path)) await run("umount", "-l", path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Whether this process may mount one. */
export const can_mount = await smallDisk(1).then(async (disk) => {
  await disk[Symbol.asyncDispose]();
  return true;
}, () => false);
