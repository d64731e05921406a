/** Keeps the data fresh: checks the folder for changes, has snapshots built, and carries out what `next` decides. */

import type { Engine, KeptSnapshot, Progress } from "../engine.ts";
import { ExportFolder } from "../intake/export_folder.ts";
import {
  ExportWatch,
  type ExportWatchOptions,
  type Look,
  STEADY_MS,
} from "../intake/export_watch.ts";
import { FileHashes } from "../intake/file_hashes.ts";
import { type Found, listExports } from "../intake/find_files.ts";
import { lookWhole } from "../intake/whole_look.ts";
import { createInTurn } from "../model/in_turn.ts";
import { fault } from "../model/log.ts";
import { refused, StoreError } from "../model/problems.ts";
import type {
  Changes,
  LoadReport,
  Refresh,
  RefreshState,
} from "../model/report.ts";
import type {
  Checked,
  ExportFile,
  ExportFiles,
  Refreshes,
  Snapshot,
  Store,
} from "../store.ts";
import { ArchiveKeeper, type Decided } from "./archive_keeper.ts";
import { FileChecks } from "./file_checks.ts";
import { holdReasons } from "./hold_reasons.ts";
import { rowsProblem } from "./listed_rows.ts";
import { LookLoop } from "./look_loop.ts";
import { afterLook, type Looked, NOT_LOOKED } from "./look_timing.ts";
import { OpenVersions, type VersionOptions } from "./open_versions.ts";
import { RefreshHistory } from "./refresh_history.ts";
import {
  type Decision,
  type Effect,
  isKnown,
  next,
  NOTHING_YET,
  type OutcomeEvent,
  outcomeOf,
  type Policy,
  type RefreshEvent,
  type RefreshStatus,
  refusalOf,
  type Version,
} from "./transitions.ts";

/** The settings that a refresher needs. */
export interface RefresherOptions extends VersionOptions {
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
}

/** Time until a load is tried again that failed for want of a disk, memory or its engine, in milliseconds. */
const RETRY_MS = 30_000;
/** The content of an archive where there is none. */
const NOTHING_KEPT = { kept: [], discarded: [] };

/** A store that follows a folder of exports, with snapshots of an engine. */
export class Refresher implements Store, Refreshes {
  #status: RefreshStatus = NOTHING_YET;
  readonly #history = new RefreshHistory();
  readonly #ended = new AbortController();
  /** Refreshes and decisions. */
  readonly #exclusive = createInTurn();
  readonly #hashes = new FileHashes();
  readonly #versions: OpenVersions;
  readonly #checks: FileChecks;
  readonly #loop: LookLoop;
  readonly #watch: ExportWatch;
  /** Null where no versions are kept. */
  readonly #keeper: ArchiveKeeper | null;
  #opening: Promise<void> | null = null;
  #export_folder: ExportFolder | null = null;
  #watching: Promise<void> | null = null;
  /** Whether the archive was asked for the last good data. */
  #has_restored = false;
  #waiting: readonly string[] = [];
  #looked: Looked = NOT_LOOKED;
  /** What was followed last of another process that decides. */
  #followed = "";
  /** The discarded version that was accepted, until it is built. */
  #accepting: string | null = null;

  constructor(
    readonly engine: Engine,
    readonly options: RefresherOptions,
  ) {
    const { signal } = this.#ended;
    this.#versions = new OpenVersions(engine, {
      options,
      hashes: this.#hashes,
      signal,
    });
    this.#checks = new FileChecks({
      versions: this.#versions,
      exclusive: this.#exclusive,
      ended: signal,
      settle_ms: options.settle_ms,
      isBuilding: () => this.#status.building,
      watchWith: (looking) => this.#watchWith(looking),
      doubtsOf: (version) => this.#doubtsOf(version),
      outcome: (event) => this.#outcome(event),
    });
    this.#loop = new LookLoop({ ...options, signal });
    this.#watch = this.#watchWith(options);
    const { archive } = engine;
    this.#keeper = archive && new ArchiveKeeper(archive, options.log);
  }

  get snapshot(): Snapshot | null {
    return this.#versions.served;
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
      this.#versions.sampleNotice(served),
      restored &&
      `This is the last good data of ${
        this.engine.archive!.setting
      }, not that of the files in DATA_DIR; /api/v1/data has the reasons.`,
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
        this.#loop.wake();
        return file;
      },
      remove: async (...args) => {
        await folder().remove(...args);
        this.#loop.wake();
      },
      check: async (name, body, options) =>
        await this.#checks.check(folder, { name, body, options }),
    };
  }

  get state(): RefreshState {
    const { building, latest } = this.#status;
    return building || !latest ? "building" : latest.state;
  }

  get history(): readonly Refresh[] {
    return this.#history.refreshes;
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
    return this.#history.subscribe(listener);
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
      const look = await lookWhole(this.#watchWith({ settle_ms: 0 }), {
        settle_ms: this.options.settle_ms,
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
    this.#looked = { ...this.#looked, done: null };
    this.#loop.wake();
  }

  async accept(data_version: string): Promise<void> {
    await this.#exclusive(async () => {
      const began_at = now();
      await this.#require({ type: "accept", data_version });
      if (this.held?.report?.data_version !== data_version) {
        // A second request for the same version gets the same answer, and no second build.
        if (this.#accepting === data_version) return;
        const look = await this.#lookFor(data_version);
        this.#accepting = data_version;
        // The request is answered now; the build comes after what waits already.
        this.#exclusive(async () => {
          this.#accepting = null;
          await this.#refresh(look, { accepted: true });
        });
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
      const keeper = this.#keeper;
      const last = keeper ? await keeper.last() : NOTHING_KEPT;
      if (!last) throw new StoreError("unavailable", keeper!.notice!);
      const { kept } = last;
      const versions = kept.map(({ loaded }) => loaded.report.data_version);
      // Not to the version that is left, even when that is kept several times.
      const at = versions.findIndex((version, i) =>
        version !== data_version && i > versions.indexOf(data_version)
      );
      if (at < 0) {
        throw new StoreError(
          "conflict",
          keeper
            ? "No earlier data is kept."
            : "No earlier data is kept. Set STATE_DIR to keep the last good data.",
        );
      }
      const current = this.#versions.served!;
      const version = await this.#versions.reopen(kept[at], {
        compared_with: current,
      }).catch((error) => {
        if (!(error instanceof StoreError) || error.kind !== "refused") {
          throw error;
        }
        throw new StoreError("conflict", error.message);
      });
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
    await this.engine.open({ signal: this.#ended.signal });
    this.#keeper?.noteSharing();
    this.#export_folder = new ExportFolder(await this.#versions.open(), {
      ...options,
      pace: this.#versions.pace,
      hashes: this.#hashes,
    });
  }

  /** Ends refreshes and checks; what is served stays so. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#opening?.catch(() => {});
    await this.#watching;
    // A check ends with the store, and so its client is told.
    await this.#exclusive(() => this.#checks.over());
  }

  /** Ends refreshes, uploads and snapshots, and removes every working file. */
  async close(): Promise<void> {
    await Promise.all([this.stop(), this.#export_folder?.close()]);
    await this.#versions.closeAll();
    await this.engine.close();
    await this.#versions.release();
  }

  async #loadOnce(
    progress: Progress,
    look: () => Promise<Pick<Look, "expected_rows"> & { found: Found }>,
  ): Promise<Snapshot> {
    return await this.#exclusive(async () => {
      const began_at = now();
      await this.#checks.giveWay();
      try {
        await this.open();
        const { found, expected_rows } = await look();
        await using exports = await this.#versions.stage(found);
        const version = await this.#versions.build(exports, {
          progress,
          expected_rows,
        });
        await this.#apply(
          { type: "built", version, doubts: [], warnings: [] },
          { began_at },
        );
        return this.#versions.served!;
      } catch (error) {
        await this.#fail(error, { began_at });
        throw error;
      }
    });
  }

  /** The refresh loop: one of the two places that catch unexpected errors, which are bugs. */
  async #refreshUntilClosed(progress: Progress): Promise<void> {
    await this.#loop.run({
      start: async () => {
        await this.open();
        await this.#exclusive(() => this.#restore(progress));
        await this.#export_folder!.clean();
      },
      look: () => this.#exclusive(() => this.#look(progress)),
      fail: (error) => this.#fail(error),
    });
  }

  /** Looks at the folder and refreshes; returns the milliseconds until the next look at the latest. */
  async #look(progress: Progress): Promise<number> {
    await this.open();
    // The archive may have been away at the start.
    if (!this.#has_restored) await this.#restore(progress);
    await this.#tendArchive(progress);
    const look = await this.#watch.look();
    this.#waiting = look.waiting;
    const { looked, then } = afterLook(this.#looked, {
      look,
      time: performance.now(),
    });
    this.#looked = looked;
    if (then === "load" || then === "retry") {
      await this.#refresh(look, { progress, retried: then === "retry" });
    }
    if (then === "soon") return STEADY_MS;
    const { retry_at } = this.#looked;
    const write_at = this.#keeper?.write_at ?? Infinity;
    return Math.min(retry_at, write_at) - performance.now();
  }

  /** Takes the archive over when nobody has it, follows the process that has it, and keeps what could not be kept. */
  async #tendArchive(progress: Progress): Promise<void> {
    const keeper = this.#keeper;
    if (!keeper) return;
    const { served } = this.#versions;
    const { discarded } = this.#status;
    const { taken, decided } = await keeper.tend({ served, discarded });
    if (decided) await this.#follow(decided, progress);
    const { retry_at } = this.#looked;
    // What could not be loaded while the archive was away need not wait longer.
    if (taken && retry_at < Infinity) {
      this.#looked = { ...this.#looked, retry_at: 0 };
    }
    await keeper.writeAgain(this.#versions.served);
    await keeper.noteHeld(this.held);
    for (const sent of await keeper.sent()) {
      // In turn, after this look.
      this[sent.type](sent.data_version).then(
        () => keeper.answer(sent, null),
        (error) => keeper.answer(sent, error),
      );
    }
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
    await this.#checks.giveWay();
    const accepted = this.#status.discarded
      .some((one) => !discarded.includes(one));
    await this.#apply({ type: "followed", served: kept[0] ?? null, discarded });
    // The files in DATA_DIR may be those of the version that was accepted there.
    if (accepted) this.request();
    const isLeft = (data_version: string) => discarded.includes(data_version);
    if (
      this.#versions.served && isLeft(this.#versions.served.data_version) &&
      !kept.every(isLeft)
    ) await this.#restore(progress);
  }

  async #refresh(
    look: Look,
    { progress = () => {}, retried = false, accepted = false }: {
      progress?: Progress;
      /** Whether the same files could not be loaded before. */
      retried?: boolean;
      /** Whether the administrator has accepted these files, so that they are not held. */
      accepted?: boolean;
    },
  ): Promise<void> {
    const began_at = now();
    await this.#checks.giveWay();
    const { identity } = look;
    this.#looked = { ...this.#looked, done: identity, retry_at: Infinity };
    await this.#apply({ type: "started" });
    try {
      if (look.problem) throw look.problem;
      await using exports = await this.#versions.stage(look.found!);
      const previous = this.#versions.served;
      if (previous && !accepted) {
        const data_version = await exports.dataVersion();
        if (data_version !== null && isKnown(this.#status, data_version)) {
          const read = this.#reportOf(data_version)?.files ?? [];
          // The same files in the same order; their names may have changed.
          const files = read.map((one, i) => ({
            ...one,
            file: exports.files[i].file,
          }));
          const wrong = rowsProblem(look.expected_rows, files);
          if (wrong) throw wrong;
          await this.#apply({ type: "seen", data_version }, { began_at });
          return;
        }
      }
      const version = await this.#versions.build(exports, {
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
      } else await this.#fail(error, { began_at, retried });
    }
  }

  /** The report of a known version; undefined for one that was discarded before this process, which is read when it is accepted. */
  #reportOf(data_version: string): LoadReport | undefined {
    const { served, held } = this.#status;
    return [served, held?.version, ...this.history]
      .map((one) => one?.report)
      .find((report) => report?.data_version === data_version) ?? undefined;
  }

  /** A look at the files, which are those of `data_version`. Throws a conflict when they are not. */
  async #lookFor(data_version: string): Promise<Look> {
    const look = await this.#watch.look();
    const changed = new StoreError(
      "conflict",
      `The files are no longer those of data version ${data_version}.`,
    );
    if (look.problem || look.waiting.length > 0) throw changed;
    await using exports = await this.#versions.stage(look.found!);
    if (await exports.dataVersion() !== data_version) throw changed;
    return look;
  }

  async #changedSince({ identity }: Look): Promise<boolean> {
    return (await this.#watch.look()).identity !== identity;
  }

  /** Why a version should wait for a decision, beside what is served. */
  #doubtsOf(version: Version): string[] {
    return this.#versions.served
      ? holdReasons(
        this.#versions.served,
        this.#versions.snapshotOf(version),
        { ...this.options, at: new Date() },
      )
      : [];
  }

  /** What a refresh would do that ended with this event. */
  #outcome(event: OutcomeEvent): Checked {
    const at = now();
    const policy = { hold: this.options.hold(), began_at: at, at };
    const { report = null, changes = null } = event.type === "built"
      ? event.version
      : {};
    const beside = this.#versions.served;
    return {
      ...outcomeOf(this.#status, { event, policy }),
      report,
      changes,
      beside: beside &&
        { data_version: beside.data_version, loaded_at: beside.loaded_at },
    };
  }

  /** Serves the last good data while the exports are not loaded yet. */
  async #restore(progress: Progress): Promise<void> {
    const last = this.#keeper ? await this.#keeper.last() : NOTHING_KEPT;
    // The exports are loaded without it, and the next look asks the archive again.
    if (!last) {
      this.#followed = "";
      return;
    }
    const { kept, discarded } = last;
    this.#has_restored = true;
    this.#status = { ...this.#status, discarded };
    const { served } = this.#versions;
    if (served && !discarded.includes(served.data_version)) return;
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
        const version = await this.#versions.reopen(one, { progress });
        await this.#apply(
          { type: "reopened", version, because: "start" },
          { began_at },
        );
        return;
      } catch (error) {
        // An older version may be undamaged.
        await this.#fail(error, { began_at });
      }
    }
  }

  /** Throws a conflict when a decision does not fit the status; else a check gives way to it. */
  async #require(decision: Decision): Promise<void> {
    this.#keeper?.requireOurs();
    const refusal = refusalOf(this.#status, decision);
    if (refusal !== null) throw new StoreError("conflict", refusal);
    await this.#checks.giveWay();
  }

  async #fail(
    error: unknown,
    { began_at, retried = false }: { began_at?: string; retried?: boolean } =
      {},
  ): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const known = error instanceof StoreError;
    if (!known) {
      this.options.log(
        fault(error, { event: "load_fault", text: "The load failed" }),
      );
    }
    // What is refused stays so until a file changes.
    if (known && error.kind !== "refused") {
      const retry_at = performance.now() + RETRY_MS;
      this.#looked = { ...this.#looked, retry_at };
    }
    const text = known ? error.message : "The load failed; the log says why.";
    const reasons = text.split("\n");
    await this.#apply({ type: "failed", reasons, retried }, { began_at });
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
    await this.#keeper?.noteHeld(this.held);
  }

  async #carryOut(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "serve":
        this.#versions.serve(effect.version);
        this.#keeper?.forget();
        break;
      case "close":
        this.#versions.close(effect.version);
        break;
      case "tell":
        this.#history.tell(effect.refresh);
        break;
      case "look_again":
        this.request();
        break;
      default:
        await this.#keeper?.carryOut(effect, this.#versions.served);
    }
  }

  #watchWith(
    looking: Pick<ExportWatchOptions, "replacement" | "settle_ms" | "signal">,
  ): ExportWatch {
    return new ExportWatch({
      ...this.options,
      signal: this.#ended.signal,
      ...looking,
      hashes: this.#hashes,
    });
  }
}

function now(): string {
  return new Date().toISOString();
}
