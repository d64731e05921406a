/** Keeps the data fresh: checks the folder for changes, has snapshots built, and carries out what `next` decides. */

import { setTimeout as delay } from "node:timers/promises";
import type {
  Engine,
  EngineSnapshot,
  KeptSnapshot,
  Progress,
} from "../engine.ts";
import { ExportFolder } from "../intake/export_folder.ts";
import { ExportWatch, type Look, STEADY_MS } from "../intake/export_watch.ts";
import { FileHashes } from "../intake/file_hashes.ts";
import {
  type FolderView,
  type Found,
  listExports,
  type Replacement,
} from "../intake/find_files.ts";
import { findExports, isOfFile } from "../intake/find_tables.ts";
import type { StagingOptions } from "../intake/stage_file.ts";
import { readSampleList, sampleNotice } from "../intake/sample.ts";
import { type ReadingRules, StagedExports } from "../intake/staging.ts";
import type { UnpackOptions } from "../intake/unpack_zip.ts";
import { createInTurn } from "../model/in_turn.ts";
import { fault, type Log } from "../model/log.ts";
import {
  type LoadProblem,
  refused,
  stagingFull,
  StoreError,
} from "../model/problems.ts";
import type { Changes, Refresh, RefreshState } from "../model/report.ts";
import { createPace, type Pace } from "../pace.ts";
import type {
  Checked,
  ExportFile,
  ExportFiles,
  Refreshes,
  Snapshot,
  Store,
} from "../store.ts";
import { ArchiveKeeper, type Decided } from "./archive_keeper.ts";
import { holdReasons } from "./hold_reasons.ts";
import {
  type Decision,
  type Effect,
  isKnown,
  next,
  NOTHING_YET,
  outcomeOf,
  type Policy,
  type RefreshEvent,
  type RefreshStatus,
  refusalOf,
  type Version,
} from "./transitions.ts";
import { folderError, removeAll, STAGING_DIR } from "./setting_folder.ts";
import { claimWorkFolder, type WorkFolder } from "./work_folder.ts";

/** The settings that a refresher needs. */
export interface RefresherOptions
  extends
    ReadingRules,
    Omit<StagingOptions, "csv_encoding" | "hashes" | "pace">,
    Pick<UnpackOptions, "zip_max_bytes"> {
  readonly data_dir: string;
  /** Undefined: the system's temporary folder. */
  readonly staging_dir: string | undefined;
  readonly max_upload_bytes: number;
  readonly upload_quota_bytes: number;
  readonly refresh_ms: number;
  /** How long a file that may be cut must stay unchanged, in milliseconds. */
  readonly settle_ms: number;
  readonly final_newline_required: boolean;
  /** Whether a version that looks wrong waits for the administrator. */
  readonly hold: () => boolean;
  /** Share of a table's rows that may go before it looks wrong. */
  readonly hold_drop: number;
  readonly log: Log;
}

/** How a snapshot is opened. */
interface Opening {
  readonly progress?: Progress;
  /** Its changes are those since this one; null when there is none. */
  readonly compared_with?: EngineSnapshot | null;
  /** Beside the end of the store, what ends the work. */
  readonly signal?: AbortSignal;
}

/** How exports become a version. */
interface Building extends Pick<Opening, "progress" | "signal"> {
  readonly expected_rows: Look["expected_rows"];
}

/** The build of a check, to which a refresh and a decision come first. */
interface Trial {
  readonly giving_way: AbortController;
  readonly ended: Promise<void>;
}

/** An open snapshot, with its version for decisions. */
interface Opened {
  readonly version: Version;
  readonly snapshot: EngineSnapshot;
  /** What to say of files of the sample in it; null when there are none. */
  readonly sample_notice: string | null;
  close(): Promise<void>;
}

const RESTORED =
  "This is the last good data of STATE_DIR, not that of the files in DATA_DIR; /api/v1/data has the reasons.";

/** The number of refreshes in the history. */
const HISTORY = 50;
/** Time until a load that failed for lack of disk or memory is tried again, in milliseconds. */
const RETRY_MS = 30_000;
/** Time between two checks whether names in the data folder have changed, in milliseconds. */
const HINT_MS = 250;

/** A store that follows a folder of exports, with snapshots of an engine. */
export class Refresher implements Store, Refreshes {
  #status: RefreshStatus = NOTHING_YET;
  #snapshot: EngineSnapshot | null = null;
  /** By the number of its version. */
  readonly #opened = new Map<number, Opened>();
  #number = 0;
  /** Snapshots that are no longer served and not yet closed. */
  readonly #closing = new Set<Promise<void>>();
  readonly #history: Refresh[] = [];
  readonly #listeners = new Set<(refresh: Refresh) => void>();

  readonly #hashes = new FileHashes();
  #opening: Promise<void> | null = null;
  #work_folder: WorkFolder | null = null;
  #export_folder: ExportFolder | null = null;
  readonly #watch: ExportWatch;
  #waiting: readonly string[] = [];
  /** The identity of the look that was refreshed last, and of the one that may be next. */
  #done: string | null = null;
  #next: { identity: string; since: number } | null = null;
  #retry_at = Infinity;
  #wake = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  /** Refreshes and decisions. */
  readonly #exclusive = createInTurn();
  /** Whether a file is being checked, from its first byte on. */
  #checking = false;
  /** Begins in turn, and goes on beside others; while there is one, nothing else goes live. */
  #trial: Trial | null = null;
  #watching: Promise<void> | null = null;
  /** Null where no versions are kept. */
  readonly #keeper: ArchiveKeeper | null;
  /** What was followed last of another process that decides. */
  #followed = "";
  readonly #pace = createPace(() => this.#snapshot !== null);

  constructor(
    readonly engine: Engine,
    readonly options: RefresherOptions,
  ) {
    this.#watch = this.#watchWith(options);
    const { archive } = engine;
    this.#keeper = archive && new ArchiveKeeper(archive, options.log);
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  get problem(): string | null {
    const { served, problem } = this.#status;
    if (served || problem !== null) return problem;
    return this.#waiting.length > 0
      ? `Waiting for files to be whole. ${this.#waiting.join("\n")}`
      : null;
  }

  get notice(): string | null {
    const { served, restored, latest } = this.#status;
    if (!served) return null;
    const notices = [
      this.#opened.get(served.number)?.sample_notice,
      restored && RESTORED,
      latest?.state === "failed" &&
      `The latest refresh failed: ${latest.reasons.join(" ")}`,
      this.#keeper?.notice,
    ];
    return notices.filter(Boolean).join(" ") || null;
  }

  get refreshes(): Refreshes {
    return this;
  }

  get files(): ExportFiles {
    // Each method asks for the folder, which exists only after the store is open.
    const folder = () => {
      if (this.#export_folder) return this.#export_folder;
      throw new StoreError("unavailable", "Not ready yet. Try again soon.");
    };
    return {
      list: () => folder().list(),
      put: async (...args): Promise<ExportFile> => {
        const file = await folder().put(...args);
        this.#wake.resolve();
        return file;
      },
      remove: async (...args) => {
        await folder().remove(...args);
        this.#wake.resolve();
      },
      check: async (name, body, { signal, ...preconditions }) => {
        if (this.#checking) {
          throw new StoreError(
            "conflict",
            "Another file is being checked. Send this one when that has ended.",
          );
        }
        this.#requireNoBuild();
        this.#checking = true;
        try {
          await using received = await folder()
            .receive(name, body, preconditions);
          return await this.#tryWith(received, { signal });
        } catch (error) {
          if (!(error instanceof StoreError && error.kind === "refused")) {
            throw error;
          }
          const reasons = error.message.split("\n");
          return this.#checked({ type: "failed", reasons });
        } finally {
          this.#checking = false;
        }
      },
    };
  }

  get state(): RefreshState {
    const { building, latest } = this.#status;
    return building ? "building" : latest?.state ?? "failed";
  }

  get history(): readonly Refresh[] {
    return this.#history;
  }

  get changes(): Changes | null {
    return this.#status.served?.changes ?? null;
  }

  get held(): Refresh | null {
    return this.#status.held?.refresh ?? null;
  }

  get discarded(): string | null {
    return this.#status.discarded[0] ?? null;
  }

  get waiting(): readonly string[] {
    return this.#waiting;
  }

  get restored(): boolean {
    return this.#status.restored;
  }

  subscribe(listener: (refresh: Refresh) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Loads DATA_DIR as it is now, once, and serves it. Throws a refusal when the
   * exports cannot be served; `problem` then says so too.
   */
  async load(progress: Progress): Promise<Snapshot> {
    return await this.#loadOnce(progress, async () => ({
      found: await listExports(this.options.data_dir),
      expected_rows: new Map(),
    }));
  }

  /**
   * Loads DATA_DIR once, and checks as `watch` does whether its files are complete, but
   * does not wait SETTLE_SECONDS for a file that may be cut. Returns also the warnings
   * about files that were loaded. Throws as `load` does.
   */
  async check(
    progress: Progress,
  ): Promise<{ snapshot: Snapshot; warnings: readonly string[] }> {
    let warnings: readonly string[] = [];
    const snapshot = await this.#loadOnce(progress, async () => {
      const look = await this.#lookWhole(this.#watchWith({ settle_ms: 0 }), {
        incomplete: (problem) =>
          refused({
            problem,
            remedy: "Check the folder when its files are written",
          }),
      });
      warnings = look.warnings;
      return { found: look.found!, expected_rows: look.expected_rows };
    });
    return { snapshot, warnings };
  }

  /**
   * Serves the last good data at once, if there is any, then the exports, and
   * refreshes from then on, until the store is closed.
   */
  watch(progress: Progress): void {
    this.#watching ??= this.#refreshUntilClosed(progress);
  }

  request(): void {
    this.#done = null;
    this.#wake.resolve();
  }

  async accept(data_version: string): Promise<void> {
    await this.#exclusive(async () => {
      const began_at = now();
      await this.#require({ type: "accept", data_version });
      if (this.held?.report?.data_version !== data_version) {
        const look = await this.#lookFor(data_version);
        // The request is answered now; the build is the next action in the queue.
        this.#exclusive(() => this.#refresh(look, { accepted: true }));
      }
      await this.#apply({ type: "accepted", data_version }, { began_at });
    });
  }

  async discard(data_version: string): Promise<void> {
    await this.#exclusive(async () => {
      await this.#require({ type: "discard", data_version });
      await this.#apply({ type: "discarded", data_version });
    });
  }

  async rollback(data_version: string): Promise<void> {
    await this.#exclusive(async () => {
      const began_at = now();
      await this.#require({ type: "rollback", data_version });
      const { archive } = this.engine;
      const kept = await archive?.kept() ?? [];
      const versions = kept.map(({ loaded }) => loaded.report.data_version);
      // Not to the version that is left, even when that is kept several times.
      const at = versions.findIndex((version, i) =>
        version !== data_version && i > versions.indexOf(data_version)
      );
      if (!archive || at < 0) {
        throw new StoreError(
          "conflict",
          archive
            ? "No earlier data is kept."
            : "No earlier data is kept. Set STATE_DIR to keep the last good data.",
        );
      }
      const current = this.#snapshot!;
      const version = await this.#reopen(kept[at], { compared_with: current });
      const left = kept.slice(0, at)
        .filter((_, i) => versions[i] === data_version)
        .map(({ name }) => name);
      await this.#apply(
        { type: "reopened", version, because: "rollback", left },
        { began_at },
      );
    });
  }

  /**
   * Opens STATE_DIR and STAGING_DIR, once; methods that need them call it. Throws a
   * SettingError where one cannot be used.
   */
  open(): Promise<void> {
    return this.#opening ??= this.#open();
  }

  async #open(): Promise<void> {
    const { options } = this;
    await this.engine.open();
    this.#keeper?.noteSharing();
    const discarded = await this.engine.archive?.discarded() ?? [];
    this.#status = { ...this.#status, discarded };
    this.#work_folder = await claimWorkFolder(options.staging_dir);
    this.#export_folder = new ExportFolder(this.#work_folder.path, {
      ...options,
      pace: this.#pace,
      hashes: this.#hashes,
    });
  }

  /** Ends refreshes and checks; what is served stays so. */
  async stop(): Promise<void> {
    this.#ended.abort();
    this.#wake.resolve();
    await this.#opening?.catch(() => {});
    await this.#watching;
    // A check ends with the store, and so its client is told.
    await this.#exclusive(async () => await this.#trial?.ended);
  }

  /** Ends refreshes, uploads and snapshots, and removes every working file. */
  async close(): Promise<void> {
    await Promise.all([this.stop(), this.#export_folder?.close()]);
    for (const { version } of this.#opened.values()) this.#close(version);
    await Promise.all(this.#closing);
    await this.engine.close();
    const work_folder = this.#work_folder;
    this.#work_folder = null;
    await work_folder?.release();
  }

  async #loadOnce(
    progress: Progress,
    look: () => Promise<Pick<Look, "expected_rows"> & { found: Found }>,
  ): Promise<Snapshot> {
    return await this.#exclusive(async () => {
      const began_at = now();
      await this.#giveWay();
      try {
        await this.open();
        const { found, expected_rows } = await look();
        await using exports = await this.#stage(found);
        const version = await this.#build(exports, { progress, expected_rows });
        await this.#apply(
          { type: "built", version, doubts: [], warnings: [] },
          { began_at },
        );
        return this.#snapshot!;
      } catch (error) {
        await this.#fail(error, began_at);
        throw error;
      }
    });
  }

  /** The refresh loop: one of the two places that catch unexpected errors, which are bugs. */
  async #refreshUntilClosed(progress: Progress): Promise<void> {
    const { signal } = this.#ended;
    const hints = this.#watchForHints();
    let last_error = "";
    try {
      await this.open();
      await this.#exclusive(() => this.#restore(progress));
      await this.#export_folder!.clean();
    } catch (error) {
      await this.#fail(error);
      last_error = String(error);
    }
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      let pause_ms = this.options.refresh_ms * (0.9 + 0.2 * Math.random());
      try {
        const acted = await this.#exclusive(() => this.#look(progress));
        if (!acted) pause_ms = Math.min(pause_ms, STEADY_MS);
        last_error = "";
      } catch (error) {
        // The same error may repeat with every look: it is reported once.
        if (String(error) !== last_error) await this.#fail(error);
        last_error = String(error);
      }
      const timer = setTimeout(this.#wake.resolve, pause_ms);
      if (!signal.aborted) await this.#wake.promise;
      clearTimeout(timer);
    }
    await hints.end();
  }

  /**
   * Wakes the loop when a name in the data folder comes, goes or is renamed over.
   * Deno.watchFs would report more, and would stop the process at a pipe: it opens
   * each new file in the folder, and at a pipe it waits for a writer.
   */
  #watchForHints(): { end(): Promise<void> } {
    let before: number | undefined;
    let looking: Promise<void> | null = null;
    const look = async () => {
      const info = await Deno.stat(this.options.data_dir).catch(() => null);
      const changed_at = info?.mtime?.getTime() ?? 0;
      if (changed_at !== (before ?? changed_at)) this.#wake.resolve();
      before = changed_at;
      looking = null;
    };
    // One check at a time: a mount may not answer.
    const timer = setInterval(() => void (looking ??= look()), HINT_MS);
    return {
      async end() {
        clearInterval(timer);
        await looking;
      },
    };
  }

  /** Looks at the folder and refreshes; false when the next look should come soon. */
  async #look(progress: Progress): Promise<boolean> {
    await this.open();
    await this.#tendArchive(progress);
    const look = await this.#watch.look();
    const time = performance.now();
    if (this.#next?.identity !== look.identity) {
      // Files that are there at the start need no second look.
      const since = this.#next ? time : -Infinity;
      this.#next = { identity: look.identity, since };
    }
    this.#waiting = look.waiting;
    if (time >= this.#retry_at) this.#done = null;
    if (look.waiting.length > 0) return false;
    if (this.#done === look.identity) return true;
    if (time - this.#next.since < STEADY_MS) return false;
    await this.#refresh(look, { progress });
    return true;
  }

  /** Takes the archive over when nobody has it, follows the process that has it, and keeps what could not be kept. */
  async #tendArchive(progress: Progress): Promise<void> {
    const keeper = this.#keeper;
    if (!keeper) return;
    const decided = await keeper.tend(this.#snapshot?.data_version);
    if (decided) await this.#follow(decided, progress);
    await keeper.keepAgain(this.#snapshot);
  }

  /** Takes the decisions of the process that has the archive, or had it until now. */
  async #follow(
    { kept, discarded }: Decided,
    progress: Progress,
  ): Promise<void> {
    const { served, held } = this.#status;
    const followed = JSON.stringify([
      kept,
      discarded,
      served?.number,
      held?.version.number,
    ]);
    if (followed === this.#followed) return;
    this.#followed = followed;
    await this.#giveWay();
    await this.#apply({ type: "followed", served: kept[0] ?? null, discarded });
    const isLeft = (data_version: string) => discarded.includes(data_version);
    if (
      this.#snapshot && isLeft(this.#snapshot.data_version) &&
      !kept.every(isLeft)
    ) await this.#restore(progress);
  }

  async #refresh(
    look: Look,
    { progress = () => {}, accepted = false }: {
      progress?: Progress;
      /** Whether the administrator has accepted these files, so that they are not held. */
      accepted?: boolean;
    },
  ): Promise<void> {
    const began_at = now();
    await this.#giveWay();
    this.#done = look.identity;
    this.#retry_at = Infinity;
    await this.#apply({ type: "started" });
    try {
      if (look.problem) throw look.problem;
      await using exports = await this.#stage(look.found!);
      const previous = this.#snapshot;
      if (previous && !accepted) {
        const data_version = await exports.dataVersion();
        if (data_version !== null && isKnown(this.#status, data_version)) {
          await this.#apply({ type: "seen", data_version }, { began_at });
          return;
        }
      }
      const version = await this.#build(exports, {
        progress,
        expected_rows: look.expected_rows,
      });
      const doubts = this.#doubtsOf(version);
      await this.#apply(
        { type: "built", version, doubts, warnings: look.warnings },
        { began_at, hold: this.options.hold() && !accepted },
      );
    } catch (error) {
      // When the files changed during the load, nothing has failed: the next look loads them.
      if (error instanceof StoreError && await this.#changedSince(look)) {
        await this.#apply({ type: "abandoned" });
      } else await this.#fail(error, began_at);
    }
  }

  /** A look at the files, which are those of `data_version`. Throws a conflict when they are not. */
  async #lookFor(data_version: string): Promise<Look> {
    const look = await this.#watch.look();
    const changed = new StoreError(
      "conflict",
      `The files are no longer those of data version ${data_version}.`,
    );
    if (look.problem || look.waiting.length > 0) throw changed;
    await using exports = await this.#stage(look.found!);
    if (await exports.dataVersion() !== data_version) throw changed;
    return look;
  }

  async #changedSince(
    { identity }: Look,
    watch = this.#watch,
  ): Promise<boolean> {
    return (await watch.look()).identity !== identity;
  }

  /** A look that finds every file complete. Throws a refusal when one cannot be loaded, and `incomplete` when one stays so. */
  async #lookWhole(
    watch: ExportWatch,
    { signal, incomplete }: {
      readonly signal?: AbortSignal;
      readonly incomplete: (waiting: string) => StoreError;
    },
  ): Promise<Look> {
    let look = await watch.look();
    const patient_until = performance.now() + this.options.settle_ms;
    while (look.waiting.length > 0) {
      if (performance.now() > patient_until) {
        throw incomplete(look.waiting.join("\n"));
      }
      await delay(STEADY_MS, undefined, { signal });
      look = await watch.look();
    }
    if (look.problem) throw look.problem;
    return look;
  }

  /** Why a version should wait for a decision, beside what is served. */
  #doubtsOf(version: Version): string[] {
    return this.#snapshot
      ? holdReasons(this.#snapshot, this.#snapshotOf(version), this.options)
      : [];
  }

  #requireNoBuild(): void {
    if (!this.#status.building) return;
    throw new StoreError(
      "conflict",
      "A refresh is being built. Send the file when it has ended.",
    );
  }

  /** Builds the folder with `replacement` in it, beside what is served, and removes what was built. */
  async #tryWith(
    replacement: Replacement,
    { signal: client }: { readonly signal: AbortSignal },
  ): Promise<Checked> {
    const giving_way = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    // One may have begun while the file was received; the turn comes after its end.
    this.#requireNoBuild();
    // In turn, so that no decision is being carried out.
    await this.#exclusive(() => {
      this.#requireNoBuild();
      this.#trial = { giving_way, ended };
      return Promise.resolve();
    });
    const signal = AbortSignal.any([
      giving_way.signal,
      client,
      this.#ended.signal,
    ]);
    const watch = this.#watchWith({ settle_ms: 0, replacement });
    let look: Look | undefined;
    try {
      signal.throwIfAborted();
      look = await this.#lookWhole(watch, {
        signal,
        // A refresh would go on waiting, so this is no refusal.
        incomplete: (waiting) =>
          new StoreError(
            "conflict",
            `Files in the data folder are still being written. ${waiting}`,
          ),
      });
      await using exports = await this.#stage(look.found!, signal);
      const { expected_rows, warnings } = look;
      const version = await this.#build(exports, { expected_rows, signal });
      try {
        const doubts = this.#doubtsOf(version);
        return this.#checked({ type: "built", version, doubts, warnings });
      } finally {
        await this.#close(version);
      }
    } catch (error) {
      if (giving_way.signal.aborted) {
        throw new StoreError(
          "conflict",
          "The check gave way to a refresh or a decision. Send the file again.",
        );
      }
      if (signal.aborted) {
        throw new StoreError(
          "cancelled",
          "The check was ended, because its client has gone or the process stops.",
        );
      }
      if (
        look && error instanceof StoreError &&
        await this.#changedSince(look, watch)
      ) {
        throw new StoreError(
          "conflict",
          "The data folder changed during the check. Send the file again.",
        );
      }
      throw error;
    } finally {
      this.#trial = null;
      end();
    }
  }

  /** What a refresh would do that ended with this event. */
  #checked(event: Parameters<typeof outcomeOf>[1]["event"]): Checked {
    const at = now();
    const policy = { hold: this.options.hold(), began_at: at, at };
    const { report = null, changes = null } = event.type === "built"
      ? event.version
      : {};
    const beside = this.#snapshot;
    return {
      ...outcomeOf(this.#status, { event, policy }),
      report,
      changes,
      beside: beside &&
        { data_version: beside.data_version, loaded_at: beside.loaded_at },
    };
  }

  /** Ends the build of a check, if there is one, and waits for its end. */
  async #giveWay(): Promise<void> {
    this.#trial?.giving_way.abort();
    await this.#trial?.ended;
  }

  /** A pace that ends the work when the signal is aborted. */
  #paceUntil(signal: AbortSignal): Pace {
    return async () => {
      signal.throwIfAborted();
      await this.#pace();
    };
  }

  /** Serves the last good data while the exports are not loaded yet. */
  async #restore(progress: Progress): Promise<void> {
    const kept = await this.engine.archive?.kept() ?? [];
    const { discarded } = this.#status;
    const isDiscarded = ({ loaded }: KeptSnapshot) =>
      discarded.includes(loaded.report.data_version);
    // A process that was killed in a rollback may have left what it went back from.
    const in_order = [
      ...kept.filter((one) => !isDiscarded(one)),
      ...kept.filter(isDiscarded),
    ];
    for (const one of in_order) {
      const began_at = now();
      try {
        progress("opening the last good data");
        const version = await this.#reopen(one, { progress });
        await this.#apply(
          { type: "reopened", version, because: "start" },
          { began_at },
        );
        return;
      } catch (error) {
        // An older version may be undamaged.
        await this.#fail(error, began_at);
      }
    }
  }

  async #stage(
    found: Found,
    signal: AbortSignal = this.#ended.signal,
  ): Promise<StagedExports> {
    const folder = await this.#makeFolder(`exports-${++this.#number}`);
    const options = {
      ...this.options,
      folder,
      pace: this.#paceUntil(signal),
      hashes: this.#hashes,
    };
    try {
      return new StagedExports(await findExports(found, options), options);
    } catch (error) {
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  /** Makes a folder for working files. Throws a SettingError where STAGING_DIR is gone. */
  async #makeFolder(name: string): Promise<string> {
    const path = `${this.#work_folder!.path}/${name}`;
    try {
      await Deno.mkdir(path);
    } catch (error) {
      const { staging_dir } = this.options;
      throw stagingFull(error) ??
        folderError({ setting: STAGING_DIR, path: staging_dir }, error);
    }
    return path;
  }

  async #build(
    exports: StagedExports,
    { expected_rows, ...rest }: Building,
  ): Promise<Version> {
    const compared_with = this.#snapshot;
    const opening = { ...rest, compared_with };
    return await this.#openSnapshot(opening, async (options) => {
      const snapshot = await this.engine.build(exports, {
        ...options,
        strict: compared_with === null,
      });
      const wrong = rowsProblem(expected_rows, snapshot);
      if (!wrong) return snapshot;
      await snapshot.close();
      throw wrong;
    });
  }

  async #reopen(kept: KeptSnapshot, opening: Opening): Promise<Version> {
    return await this.#openSnapshot(
      opening,
      (options) => this.engine.archive!.reopen(kept, options),
    );
  }

  /** Has a new snapshot opened in its own folder, and compares it with `compared_with`. */
  async #openSnapshot(
    {
      progress = () => {},
      compared_with = null,
      signal = this.#ended.signal,
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
        beside_readers: this.#snapshot !== null,
        progress(step) {
          signal.throwIfAborted();
          progress(step);
        },
        signal,
      });
      const changes = compared_with &&
        await this.engine.compare(compared_with, snapshot, {
          pace: this.#paceUntil(signal),
        });
      const version = { number, report: snapshot.report, changes };
      const listed = await readSampleList(this.options.data_dir);
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

  #snapshotOf({ number }: Version): EngineSnapshot {
    return this.#opened.get(number)!.snapshot;
  }

  /** Throws a conflict when a decision does not fit the status; else a check gives way to it. */
  async #require(decision: Decision): Promise<void> {
    this.#keeper?.requireOurs();
    const refusal = refusalOf(this.#status, decision);
    if (refusal !== null) throw new StoreError("conflict", refusal);
    await this.#giveWay();
  }

  async #fail(error: unknown, began_at?: string): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const known = error instanceof StoreError;
    if (!known) {
      this.options.log(
        fault(error, { event: "load_fault", text: "The load failed" }),
      );
    }
    if (known && error.kind === "full") {
      this.#retry_at = performance.now() + RETRY_MS;
    }
    const text = known ? error.message : "The load failed; the log says why.";
    const reasons = text.split("\n");
    await this.#apply({ type: "failed", reasons }, { began_at });
  }

  /** Takes the status after `event`, and carries out its effects. */
  async #apply(
    event: RefreshEvent,
    { began_at = now(), hold = false }: Partial<Omit<Policy, "at">> = {},
  ): Promise<void> {
    const { status, effects } = next(this.#status, event, {
      hold,
      began_at,
      at: now(),
    });
    this.#status = status;
    for (const effect of effects) await this.#carryOut(effect);
  }

  async #carryOut(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "serve":
        this.#snapshot = this.#snapshotOf(effect.version);
        this.#keeper?.forget();
        break;
      case "close":
        this.#close(effect.version);
        break;
      case "tell":
        this.#tell(effect.refresh);
        break;
      default:
        await this.#keeper?.carryOut(effect, this.#snapshot);
    }
  }

  #close({ number }: Version): Promise<void> {
    const opened = this.#opened.get(number)!;
    this.#opened.delete(number);
    if (this.#snapshot === opened.snapshot) this.#snapshot = null;
    const closing = opened.close()
      .catch((error) =>
        this.options.log(
          fault(error, {
            event: "close_fault",
            text: "A version that is no longer served was not closed",
          }),
        )
      )
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  #tell(refresh: Refresh): void {
    const { report } = refresh;
    this.#history.unshift({
      ...refresh,
      report: report && { ...report, set_aside_listed: [] },
    });
    this.#history.length = Math.min(this.#history.length, HISTORY);
    for (const listener of this.#listeners) listener(refresh);
  }

  #watchWith(
    looking: FolderView & { readonly settle_ms: number },
  ): ExportWatch {
    return new ExportWatch({
      ...this.options,
      ...looking,
      hashes: this.#hashes,
    });
  }
}

function now(): string {
  return new Date().toISOString();
}

/** The refusal of files whose number of rows is not that of manifest.json; for a workbook, the sum over its sheets that are read. */
function rowsProblem(
  expected_rows: Look["expected_rows"],
  { report }: EngineSnapshot,
): StoreError | undefined {
  const problems: LoadProblem[] = [];
  for (const [file, rows] of expected_rows) {
    // Two tables of tally.toml may read one file, and each passes over other rows.
    const in_file = new Map(
      report.files.filter((one) => isOfFile(one.file, file))
        .map((one) => [one.file, one.rows_read + (one.rows_passed_over ?? 0)]),
    );
    const found = [...in_file.values()].reduce((sum, one) => sum + one, 0);
    if (in_file.size === 0 || found === rows) continue;
    problems.push({
      file,
      problem: `${found} rows, and manifest.json lists ${rows}`,
      remedy: "Deliver the whole set again, manifest.json last",
    });
  }
  return problems.length > 0 ? refused(...problems) : undefined;
}
