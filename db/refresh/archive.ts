/** The last good snapshots on disk, so that a restart without good exports has something to serve. */

import { createHash } from "node:crypto";
import { z } from "zod";
import type { Claim, KeptSnapshot } from "../engine.ts";
import { removeAll } from "../intake/remove_all.ts";
import { writeAll } from "../intake/write_all.ts";
import type { Log } from "../model/log.ts";
import { refused, type StoreError } from "../model/problems.ts";
import { loadedSchema } from "../model/report.ts";
import type { Loaded } from "../model/report.ts";
import { type FileLock, isWithoutLocks, tryLock } from "./lock_file.ts";
import { folderError } from "./setting_folder.ts";

/** Raised by one when the tables of a snapshot change; a snapshot of another format is not used. */
const FORMAT = 3;
const KEPT = 3;
const MANIFEST = "snapshot.json";
const DISCARDED = "discarded.json";
const LOCK = "lock";
const UNFINISHED = ".unfinished-";
const VERSION = /^\d{8}-[0-9a-f]{16}$/;
/** What is left of a version whose removal did not end. */
const HALF_DROPPED = /^\.unfinished-\d{8}-[0-9a-f]{16}/;

const keptFileSchema = z.object({
  name: z.string().regex(/^[^/\0]+$/, "not the name of a file"),
  bytes: z.int(),
  sha256: z.string(),
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  files: z.array(keptFileSchema),
  loaded: loadedSchema,
});

const discardedSchema = z.object({ data_versions: z.array(z.string()) });

/** What is written beside the tables of a kept snapshot. */
type Manifest = z.output<typeof manifestSchema>;
type KeptFile = z.output<typeof keptFileSchema>;

/** A folder of a kept version: the results of its load, or why this build cannot read it. */
export type VersionFolder =
  | KeptSnapshot
  | { readonly name: string; readonly problem: string };

/**
 * A folder of snapshots, each a folder of Parquet files with a manifest. One is
 * written under another name and then renamed, so that it is never there in part.
 */
export class StateFolder {
  #lock: FileLock | null = null;
  /** Whether another process had the lock at the last claim. */
  #is_locked = false;
  #has_locks = true;

  constructor(
    readonly path: string,
    readonly log: Log,
  ) {}

  /** The setting with its value. */
  get name(): string {
    return `STATE_DIR=${JSON.stringify(this.path)}`;
  }

  /** The path of the file that the one process has locked that writes here. */
  get lock(): string {
    return `${this.path}/${LOCK}`;
  }

  /** Whether this process is the one that writes here; also while the folder is gone, since no other one is known then. */
  get is_ours(): boolean {
    return !this.#is_locked;
  }

  /** Whether the file system has locks; without them every process takes the folder for its own. */
  get has_locks(): boolean {
    return this.#has_locks;
  }

  /**
   * Makes the folder where it is missing, and claims it. Throws a SettingError where it
   * cannot be used.
   */
  async open(): Promise<void> {
    await this.#using(async () => {
      await this.#claim();
      await this.discarded();
    });
  }

  /**
   * Claims the folder, again where the lock is gone with it, as when it was mounted anew.
   * Who takes it removes the leftovers of a killed process. Throws a SettingError where
   * it cannot be used.
   */
  async claim(): Promise<Claim> {
    return await this.#using(() => this.#claim());
  }

  /** Lets another process have the folder. */
  release(): void {
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
  }

  async #claim(): Promise<Claim> {
    if (await this.#lock?.holds()) return "held";
    this.release();
    const { path } = this;
    await Deno.mkdir(path, { recursive: true });
    const lock = await this.#tryLock();
    this.#is_locked = lock === null;
    if (!lock) return "locked";
    try {
      for (const name of await namesIn(path)) {
        if (name.startsWith(UNFINISHED)) await this.finishDrop(name);
      }
      // Data is kept only after a load; a folder that cannot be written must show now.
      const trial = `${path}/${UNFINISHED}${crypto.randomUUID()}`;
      await Deno.mkdir(trial);
      await Deno.remove(trial);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
    this.#lock = lock;
    return "taken";
  }

  async #tryLock(): Promise<FileLock | null> {
    try {
      return await tryLock(this.lock);
    } catch (error) {
      if (!isWithoutLocks(error)) throw error;
      // Most folders have one process only: it would be worse to keep nothing.
      this.#has_locks = false;
      const holds = () => Promise.resolve(true);
      return { holds, [Symbol.dispose]() {} };
    }
  }

  async #using<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw folderError({ setting: "STATE_DIR", path: this.path }, error);
    }
  }

  /** The data versions that are kept, the latest first; also those that this build cannot read. */
  async keptVersions(): Promise<string[]> {
    const names = await this.#snapshots();
    return names.map((name) => name.slice(name.indexOf("-") + 1)).reverse();
  }

  /** The snapshots whose manifest is as this build writes it, the latest first; others are logged. */
  async kept(): Promise<KeptSnapshot[]> {
    const kept: KeptSnapshot[] = [];
    for (const version of await this.versions()) {
      if ("problem" in version) {
        const { name, problem } = version;
        this.log({
          level: "warning",
          event: "kept_version_passed_over",
          text: `STATE_DIR: ${name} is passed over: ${problem}`,
          version: name,
        });
      } else kept.push(version);
    }
    return kept.reverse();
  }

  /** Every kept version, also those that this build cannot read, the oldest first. */
  async versions(): Promise<VersionFolder[]> {
    const versions: VersionFolder[] = [];
    for (const name of await this.#snapshots()) {
      const manifest = await this.#manifest(name);
      versions.push(
        typeof manifest === "string"
          ? { name, problem: manifest }
          : { name, loaded: manifest.loaded },
      );
    }
    return versions;
  }

  /** The folders of versions whose writing, or whose removal, has not ended. */
  async unfinished(): Promise<{ writing: string[]; removing: string[] }> {
    const names = await Array.fromAsync(Deno.readDir(this.path));
    const folders = names
      .filter(({ name, isDirectory }) =>
        isDirectory && name.startsWith(UNFINISHED)
      )
      .map(({ name }) => name).sort();
    return {
      writing: folders.filter((name) => !HALF_DROPPED.test(name)),
      removing: folders.filter((name) => HALF_DROPPED.test(name)),
    };
  }

  /** Keeps the tables that DuckDB exported to `folder`, and drops the oldest when there are too many. */
  async keep(folder: string, loaded: Loaded): Promise<void> {
    const unfinished = `${this.path}/${UNFINISHED}${crypto.randomUUID()}`;
    await Deno.mkdir(unfinished);
    try {
      const files: KeptFile[] = [];
      for (const name of await namesIn(folder)) {
        files.push({
          name,
          ...await copy(`${folder}/${name}`, `${unfinished}/${name}`),
        });
      }
      await writeWhole(`${unfinished}/${MANIFEST}`, {
        format: FORMAT,
        files,
        loaded,
      });
      const last = (await this.#snapshots()).at(-1);
      const number = last ? parseInt(last) + 1 : 1;
      const name = `${
        String(number).padStart(8, "0")
      }-${loaded.report.data_version}`;
      await Deno.rename(unfinished, `${this.path}/${name}`);
    } catch (error) {
      // What is left here is removed later; why it was given up counts.
      await Deno.remove(unfinished, { recursive: true }).catch(() => {});
      throw error;
    }
    for (const name of (await this.#snapshots()).slice(0, -KEPT)) {
      await this.drop(name);
    }
  }

  /** Copies the tables of a kept snapshot to `folder`. Throws a refusal when they are damaged. */
  async restore({ name }: KeptSnapshot, folder: string): Promise<void> {
    const manifest = await this.#manifest(name);
    if (typeof manifest === "string") throw damaged(name);
    await Deno.mkdir(folder);
    for (const file of manifest.files) {
      const from = `${this.path}/${name}/${file.name}`;
      const copied = await copy(from, `${folder}/${file.name}`)
        .catch((error) => {
          if (error instanceof Deno.errors.NotFound) return null;
          throw error;
        });
      if (copied?.sha256 !== file.sha256) throw damaged(`${name}/${file.name}`);
    }
  }

  /** Drops a kept snapshot, unless another process has. */
  async drop(name: string): Promise<void> {
    // Renamed first: a folder that is half removed must not look whole. To a name
    // of its own, which no rest of a killed process has.
    const unfinished = `${UNFINISHED}${name}-${crypto.randomUUID()}`;
    const is_mine = await isThere(
      Deno.rename(`${this.path}/${name}`, `${this.path}/${unfinished}`),
    );
    if (is_mine) await this.finishDrop(unfinished);
  }

  /** Removes what is unfinished, unless another process has. */
  async finishDrop(name: string): Promise<void> {
    await removeAll(`${this.path}/${name}`);
  }

  /** The versions of the exports that are not to be built until they change. */
  async discarded(): Promise<readonly string[]> {
    const value = await read(`${this.path}/${DISCARDED}`);
    const { success, data } = discardedSchema.safeParse(value);
    return success ? data.data_versions : [];
  }

  /** Remembers the versions of the exports that are not to be built until they change. */
  async markDiscarded(data_versions: readonly string[]): Promise<void> {
    // A name of its own, since another process may write here too.
    const unfinished = `${this.path}/${UNFINISHED}${crypto.randomUUID()}`;
    await writeWhole(unfinished, { data_versions });
    await Deno.rename(unfinished, `${this.path}/${DISCARDED}`);
  }

  async #snapshots(): Promise<string[]> {
    const names = await namesIn(this.path);
    return names.filter((name) => VERSION.test(name));
  }

  /** The manifest of a snapshot, or the error in it. */
  async #manifest(name: string): Promise<Manifest | string> {
    let manifest: unknown;
    try {
      manifest = await read(`${this.path}/${name}/${MANIFEST}`);
    } catch (error) {
      return `its ${MANIFEST} cannot be read: ${(error as Error).message}`;
    }
    if (manifest === null) return `its ${MANIFEST} is not there, or no JSON`;
    const { success, data, error } = manifestSchema.safeParse(manifest);
    if (success) return data;
    const [{ path, message }] = error.issues;
    return `its ${MANIFEST} is of another build (${
      path.join(".")
    }: ${message})`;
  }
}

function damaged(file: string): StoreError {
  return refused({
    file,
    problem: "not what was kept in STATE_DIR",
    remedy: "Remove that folder from STATE_DIR",
  });
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort();
}

/** Whether an action found what it acts on. */
async function isThere(action: Promise<void>): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The value of a JSON file; null when it is not there or no JSON. */
async function read(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) {
      return null;
    }
    throw error;
  }
}

async function writeWhole(path: string, value: unknown): Promise<void> {
  using file = await Deno.open(path, {
    write: true,
    create: true,
    truncate: true,
  });
  await writeAll(file, new TextEncoder().encode(JSON.stringify(value)));
  await file.sync();
}

// STATE_DIR may be another disk than staging, so files are copied, not renamed.
async function copy(
  from: string,
  to: string,
): Promise<Omit<KeptFile, "name">> {
  const hash = createHash("sha256");
  let bytes = 0;
  using source = await Deno.open(from);
  using target = await Deno.open(to, { write: true, createNew: true });
  for await (const chunk of source.readable) {
    hash.update(chunk);
    bytes += chunk.length;
    await writeAll(target, chunk);
  }
  await target.sync();
  return { bytes, sha256: hash.digest("hex") };
}
