/** The versions that are open: stages exports, has snapshots built and reopened in folders of their own, and closes them. */

import type {
  Engine,
  EngineSnapshot,
  KeptSnapshot,
  Progress,
} from "../engine.ts";
import type { Look } from "../intake/export_watch.ts";
import type { FileHashes } from "../intake/file_hashes.ts";
import type { Found } from "../intake/find_files.ts";
import { findExports } from "../intake/find_tables.ts";
import { removeAll } from "../intake/remove_all.ts";
import { readSampleList, sampleNotice } from "../intake/sample.ts";
import type { StagingOptions } from "../intake/stage_file.ts";
import { type ReadingRules, StagedExports } from "../intake/staging.ts";
import type { UnpackOptions } from "../intake/unpack_zip.ts";
import type { Log } from "../model/log.ts";
import { stagingFull } from "../model/problems.ts";
import { createPace, type Pace } from "../pace.ts";
import { Closings } from "./closings.ts";
import { rowsProblem } from "./listed_rows.ts";
import { folderError, STAGING_DIR } from "./setting_folder.ts";
import type { Version } from "./transitions.ts";
import { claimWorkFolder, type WorkFolder } from "./work_folder.ts";

/** The settings by which versions are made. */
export interface VersionOptions
  extends
    ReadingRules,
    Omit<StagingOptions, "csv_encoding" | "hashes" | "pace" | "signal">,
    Pick<UnpackOptions, "zip_max_bytes"> {
  readonly data_dir: string;
  /** Undefined: the system's temporary folder. */
  readonly staging_dir: string | undefined;
  readonly log: Log;
}

/** How a snapshot is opened. */
export interface Opening {
  readonly progress?: Progress;
  /** Its changes are those since this one; null when there is none. */
  readonly compared_with?: EngineSnapshot | null;
  /** Beside the end of the store, what ends the work. */
  readonly signal?: AbortSignal;
}

/** How exports become a version. */
export interface Building extends Pick<Opening, "progress" | "signal"> {
  readonly expected_rows: Look["expected_rows"];
}

/** An open snapshot, with its version for decisions. */
interface Opened {
  readonly version: Version;
  readonly snapshot: EngineSnapshot;
  /** What to say of files of the sample in it; null when there are none. */
  readonly sample_notice: string | null;
  close(): Promise<void>;
}

/** The versions of a store that are open. */
export class OpenVersions {
  /** The one that answers; null when there is none. */
  served: EngineSnapshot | null = null;
  /** Lets requests run while something is served. */
  readonly pace: Pace = createPace(() => this.served !== null);
  readonly #engine: Engine;
  readonly #options: VersionOptions;
  readonly #hashes: FileHashes;
  /** Ends the work on versions. */
  readonly #signal: AbortSignal;
  #work_folder: WorkFolder | null = null;
  /** By the number of its version. */
  readonly #opened = new Map<number, Opened>();
  #number = 0;
  readonly #closings: Closings;

  constructor(
    engine: Engine,
    { options, hashes, signal }: {
      readonly options: VersionOptions;
      readonly hashes: FileHashes;
      readonly signal: AbortSignal;
    },
  ) {
    this.#engine = engine;
    this.#options = options;
    this.#closings = new Closings(options.log);
    this.#hashes = hashes;
    this.#signal = signal;
  }

  /** Claims the folder for working files, and returns its path. Throws a SettingError where it cannot be used. */
  async open(): Promise<string> {
    this.#work_folder = await claimWorkFolder(this.#options.staging_dir);
    return this.#work_folder.path;
  }

  /** Removes every working file. */
  async release(): Promise<void> {
    const work_folder = this.#work_folder;
    this.#work_folder = null;
    await work_folder?.release();
  }

  snapshotOf({ number }: Version): EngineSnapshot {
    return this.#opened.get(number)!.snapshot;
  }

  /** What to say of files of the sample in a version; null when there are none. */
  sampleNotice({ number }: Version): string | null {
    return this.#opened.get(number)?.sample_notice ?? null;
  }

  serve(version: Version): void {
    this.served = this.snapshotOf(version);
  }

  /** Closes a version when its last request ends, and serves it no longer. */
  close({ number }: Version): Promise<void> {
    const opened = this.#opened.get(number)!;
    this.#opened.delete(number);
    if (this.served === opened.snapshot) this.served = null;
    return this.#closings.add(opened.close());
  }

  /** Closes all versions, and waits until they are closed. */
  async closeAll(): Promise<void> {
    for (const { version } of this.#opened.values()) this.close(version);
    await this.#closings.all();
  }

  /** Copies exports into a folder of their own, which goes with them. Throws a refusal. */
  async stage(
    found: Found,
    signal: AbortSignal = this.#signal,
  ): Promise<StagedExports> {
    const folder = await this.#makeFolder(`exports-${++this.#number}`);
    const options = {
      ...this.#options,
      folder,
      pace: this.pace,
      signal,
      hashes: this.#hashes,
    };
    try {
      return new StagedExports(await findExports(found, options), options);
    } catch (error) {
      // Where STAGING_DIR is gone, so is the folder; the first error counts.
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      throw error;
    }
  }

  /** Makes a folder for working files. Throws a SettingError where STAGING_DIR is gone. */
  async #makeFolder(name: string): Promise<string> {
    const path = `${this.#work_folder!.path}/${name}`;
    try {
      await Deno.mkdir(path);
    } catch (error) {
      const { staging_dir } = this.#options;
      throw stagingFull(error) ??
        folderError({ setting: STAGING_DIR, path: staging_dir }, error);
    }
    return path;
  }

  /** Has exports built beside what is served, and compared with it. Throws a refusal. */
  async build(
    exports: StagedExports,
    { expected_rows, ...rest }: Building,
  ): Promise<Version> {
    const compared_with = this.served;
    const opening = { ...rest, compared_with };
    return await this.#openSnapshot(opening, async (options) => {
      const snapshot = await this.#engine.build(exports, {
        ...options,
        strict: compared_with === null,
      });
      const wrong = rowsProblem(expected_rows, snapshot.report.files);
      if (!wrong) return snapshot;
      await snapshot.close();
      throw wrong;
    });
  }

  /** Has a kept snapshot opened. */
  async reopen(kept: KeptSnapshot, opening: Opening): Promise<Version> {
    return await this.#openSnapshot(
      opening,
      (options) => this.#engine.archive!.reopen(kept, options),
    );
  }

  /** Has a new snapshot opened in its own folder, and compares it with `compared_with`. */
  async #openSnapshot(
    {
      progress = () => {},
      compared_with = null,
      signal = this.#signal,
    }: Opening,
    make: (
      options: Parameters<NonNullable<Engine["archive"]>["reopen"]>[1],
    ) => Promise<EngineSnapshot>,
  ): Promise<Version> {
    const number = ++this.#number;
    const folder = await this.#makeFolder(String(number));
    const remove = () => removeAll(folder);
    let snapshot: EngineSnapshot | undefined;
    try {
      snapshot = await make({
        folder,
        beside_readers: this.served !== null,
        progress(step) {
          signal.throwIfAborted();
          progress(step);
        },
        signal,
      });
      const changes = compared_with &&
        await this.#engine.compare(compared_with, snapshot, {
          pace: async () => {
            signal.throwIfAborted();
            await this.pace();
          },
          signal,
        });
      const version = { number, report: snapshot.report, changes };
      const listed = await readSampleList(this.#options.data_dir);
      const opened = snapshot;
      this.#opened.set(number, {
        version,
        snapshot,
        sample_notice: sampleNotice(snapshot.report.files, listed),
        async close() {
          await opened.close();
          await remove();
        },
      });
      return version;
    } catch (error) {
      await snapshot?.close();
      await remove().catch(() => {});
      throw error;
    }
  }
}
