/** The interface between refreshing and an engine, which builds, keeps and compares snapshots. */

import type { StagedExports } from "./intake/staging.ts";
import type { Changes, Loaded, Refresh } from "./model/report.ts";
import type { Pace } from "./pace.ts";
import type { Decision } from "./refresh/transitions.ts";
import type { Snapshot } from "./store.ts";

/** Called with the present step of a load, in a few words. */
export type Progress = (step: string) => void;

/** Makes snapshots. */
export interface Engine {
  /**
   * Opens what snapshots need. Once `signal` is aborted, the engine waits no longer than
   * a moment for anything outside this process. Throws a SettingError where a folder
   * cannot be used.
   */
  open(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** Builds a snapshot; throws a refusal and leaves nothing behind. */
  build(exports: StagedExports, options: BuildOptions): Promise<EngineSnapshot>;
  /** The differences between two snapshots: what is new and what is gone. */
  compare(
    previous: EngineSnapshot,
    next: EngineSnapshot,
    options: CompareOptions,
  ): Promise<Changes>;
  /** The versions that are kept for a restart and a rollback; null when none are kept. */
  readonly archive: Archive | null;
  /** Closes what the engine itself has opened. Every snapshot is closed before. */
  close(): Promise<void>;
}

/** How a snapshot is built. */
export interface BuildOptions {
  /** An empty folder for this snapshot only, which the caller removes after `close`. */
  readonly folder: string;
  /** Whether a file with too many rows set aside is refused; else the report lists it. */
  readonly strict: boolean;
  /** Whether another snapshot is served meanwhile, so that the load must leave processors free. */
  readonly beside_readers: boolean;
  readonly progress: Progress;
  /** When it is aborted, the build ends and throws its reason. */
  readonly signal: AbortSignal;
}

/** How snapshots are compared. */
export interface CompareOptions {
  /** Is awaited now and then where this process does the work; it throws the reason of `signal`. */
  readonly pace: Pace;
  /** When it is aborted, work elsewhere ends too, and its reason is thrown. */
  readonly signal: AbortSignal;
}

/** A snapshot that its opener closes. */
export interface EngineSnapshot extends Snapshot {
  readonly loaded: Loaded;
  /** Waits until nobody retains the snapshot, then closes it. Idempotent. */
  close(): Promise<void>;
}

/** Whether this process keeps versions in an archive: another one may, `locked`; it did before, `held`; it does from now on, `taken`. */
export type Claim = "held" | "taken" | "locked";

/**
 * The versions that went live, kept for a restart without good exports and for a
 * rollback. One process keeps them, and others may read them meanwhile.
 */
export interface Archive {
  /** The setting that says where it is. */
  readonly setting: string;
  /** What it is called in messages, such as `STATE_DIR="/state"`. */
  readonly name: string;
  /** What is locked, for messages. */
  readonly lock: string;
  /** Whether this process is the one that keeps versions; also while the archive cannot be used, since no other one is known then. */
  readonly is_ours: boolean;
  /** Whether a second process would be noticed. */
  readonly has_locks: boolean;
  /** Becomes the process that keeps versions, unless there is one. Throws a SettingError where the archive cannot be used. */
  claim(): Promise<Claim>;
  /** The data versions that are kept, the latest first. */
  keptVersions(): Promise<readonly string[]>;
  /** The versions that this build can reopen, the latest first. */
  kept(): Promise<readonly KeptSnapshot[]>;
  /** Keeps a snapshot, and drops the oldest when there are too many. */
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
  /** Where other servers follow the one that keeps versions, so that each may decide. */
  readonly shared?: SharedDecisions;
}

/** What waits for a decision, and the decisions that followers were sent. */
export interface SharedDecisions {
  /** The refresh that waits for a decision, if any. */
  held(): Promise<Refresh | null>;
  /** Says which one waits from now on. */
  noteHeld(refresh: Refresh | null): Promise<void>;
  /**
   * Sends a decision to the server that keeps versions. Returns why that refuses it;
   * null when it is carried out. Throws a StoreError "busy" when it says nothing in time.
   */
  send(decision: Decision): Promise<string | null>;
  /** The decisions that have no answer yet, the first one first. */
  sent(): Promise<readonly SentDecision[]>;
  /** Answers a decision; a text says why it is refused. */
  answer(sent: SentDecision, refusal: string | null): Promise<void>;
}

/** A decision that a follower was sent. */
export interface SentDecision extends Decision {
  readonly id: string;
}

/** A kept version. */
export interface KeptSnapshot {
  /** Its name in the archive; in the order of names, the oldest comes first. */
  readonly name: string;
  /** The results of its load that are not in tables. */
  readonly loaded: Loaded;
}
