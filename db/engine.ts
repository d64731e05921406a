/** The seam between refreshing and an engine: what builds, keeps and compares snapshots. */

import type { StagedExports } from "./intake/staging.ts";
import type { Changes, Loaded } from "./model/report.ts";
import type { Pace } from "./pace.ts";
import type { Snapshot } from "./store.ts";

/** Gets what a load does now, in a few words. */
export type Progress = (step: string) => void;

/** Makes snapshots. */
export interface Engine {
  /** Makes ready what snapshots need. Throws a StoreError that names the setting that is of no use. */
  open(): Promise<void>;
  /** Builds a snapshot; throws a refusal and leaves nothing behind. */
  build(exports: StagedExports, options: BuildOptions): Promise<EngineSnapshot>;
  /** What `next` has that `previous` has not, and the other way round. `pace` is awaited now and then. */
  compare(
    previous: EngineSnapshot,
    next: EngineSnapshot,
    pace: Pace,
  ): Promise<Changes>;
  /** The versions that are kept for a restart and a rollback; null where none are. */
  readonly archive: Archive | null;
  /** Ends what the engine itself holds open, when every snapshot is closed. */
  close(): Promise<void>;
}

/** How a snapshot is built. */
export interface BuildOptions {
  /** An empty folder of this snapshot's own, which the caller removes after `close`. */
  readonly folder: string;
  /** Whether files of which too much is set aside are refused; else the report says so. */
  readonly strict: boolean;
  /** Whether another snapshot answers meanwhile, which needs its share of the machine. */
  readonly beside_readers: boolean;
  readonly progress: Progress;
  /** Ends the build, which throws its reason. */
  readonly signal: AbortSignal;
}

/** A snapshot that its opener closes. */
export interface EngineSnapshot extends Snapshot {
  readonly loaded: Loaded;
  /** Waits until nobody retains it, then ends it. Idempotent. */
  close(): Promise<void>;
}

/** The versions that went live, kept for a restart without good exports and for a rollback. */
export interface Archive {
  /** The versions that this build can reopen, the latest first. */
  kept(): Promise<readonly KeptSnapshot[]>;
  /** Keeps a snapshot, and drops the oldest of too many. */
  keep(snapshot: EngineSnapshot): Promise<void>;
  /** Opens a kept version as a snapshot. Throws a refusal when it is damaged. */
  reopen(
    kept: KeptSnapshot,
    options: Omit<BuildOptions, "strict">,
  ): Promise<EngineSnapshot>;
  /** Drops a kept version. */
  drop(name: string): Promise<void>;
  /** The versions whose files are not built until they change. */
  discarded(): Promise<readonly string[]>;
  /** Remembers these, and no others. */
  markDiscarded(data_versions: readonly string[]): Promise<void>;
}

/** A kept version. */
export interface KeptSnapshot {
  /** Its name in the archive; a later one sorts behind. */
  readonly name: string;
  /** What its load left beside the tables. */
  readonly loaded: Loaded;
}
