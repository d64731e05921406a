/** The embedded store: what is served, what is held, and the refreshes that lead there. */

import type { Config } from "../../config.ts";
import { holdReasons } from "../refresh/hold_reasons.ts";
import { ExportFolder } from "../intake/export_folder.ts";
import { ExportWatch, type Look, STEADY_MS } from "../intake/export_watch.ts";
import { type Found, listExports } from "../intake/find_files.ts";
import {
  findExports,
  type FoundTables,
  isOfFile,
} from "../intake/find_tables.ts";
import { type LoadProblem, refused, StoreError } from "../model/problems.ts";
import type { Refresh, RefreshState } from "../model/report.ts";
import type {
  ExportFile,
  ExportFiles,
  Refreshes,
  Snapshot,
  Store,
} from "../store.ts";
import { createPace } from "../pace.ts";
import { compareSnapshots } from "./compare.ts";
import {
  dataVersion,
  inLoadOrder,
  loadExports,
  type LoadOptions,
  type Progress,
  stagingOptions,
} from "./load.ts";
import { createSlots, type Slots } from "../serving/slots.ts";
import { type Fill, type OpenSnapshot, openSnapshot } from "./snapshot.ts";
import { type KeptSnapshot, StateFolder } from "../refresh/archive.ts";
import { claimWorkFolder, type WorkFolder } from "../refresh/work_folder.ts";

/** A snapshot that waits for a decision. */
interface Held {
  readonly snapshot: OpenSnapshot;
  readonly refresh: Refresh;
}

/** As many refreshes are remembered. */
const HISTORY = 50;
/** What failed for want of space or memory is tried again after so long, in milliseconds. */
const RETRY_MS = 30_000;
/** So often the data folder is asked whether names in it have changed, in milliseconds. */
const HINT_MS = 250;

/** A store on one machine, with DuckDB in this process. */
export class DuckdbStore implements Store, Refreshes {
  #snapshot: OpenSnapshot | null = null;
  #problem: string | null = null;
  #held: Held | null = null;
  #waiting: readonly string[] = [];
  #restored = false;
  #building = true;
  #state: Exclude<RefreshState, "building"> = "failed";
  readonly #history: Refresh[] = [];
  readonly #listeners = new Set<(refresh: Refresh) => void>();

  #work_folder: WorkFolder | null = null;
  #state_folder: StateFolder | null = null;
  #export_folder: ExportFolder | null = null;
  /** The version whose files are not built again until they change. */
  #discarded: string | null = null;
  #snapshots_made = 0;
  /** Snapshots that are no longer served and not yet closed. */
  readonly #closing = new Set<Promise<void>>();

  readonly #watch: ExportWatch;
  /** The look that was acted upon last, and the one that may be next. */
  #done: string | null = null;
  #next: { identity: string; since: number } | null = null;
  #retry_at = Infinity;
  #wake = Promise.withResolvers<void>();
  readonly #ended = new AbortController();
  /** Refreshes and decisions, one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> | null = null;
  /** Of the process and not of a snapshot, so that a refresh does not double them. */
  readonly #slots: Slots;
  readonly #pace = createPace(() => this.#snapshot !== null);

  constructor(
    readonly config: Config,
    /** Gets what an operator must see. */
    readonly log: (text: string) => void = console.error,
  ) {
    this.#slots = createSlots(config);
    this.#watch = new ExportWatch({
      data_dir: config.DATA_DIR,
      settle_ms: config.SETTLE_SECONDS * 1_000,
      final_newline_required: config.CSV_FINAL_NEWLINE === "required",
    });
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  get problem(): string | null {
    if (this.#problem !== null) return this.#problem;
    return this.#waiting.length > 0
      ? `Waiting for files to be whole. ${this.#waiting.join("\n")}`
      : null;
  }

  get refreshes(): Refreshes {
    return this;
  }

  get files(): ExportFiles {
    // A method each, since the folder is there only once the store is open.
    const folder = () => {
      if (this.#export_folder) return this.#export_folder;
      throw new StoreError("unavailable", "Not ready yet. Try again soon.");
    };
    return {
      list: () => folder().list(),
      put: async (name, body): Promise<ExportFile> => {
        const file = await folder().put(name, body);
        this.#wake.resolve();
        return file;
      },
      remove: async (name) => {
        await folder().remove(name);
        this.#wake.resolve();
      },
    };
  }

  get state(): RefreshState {
    return this.#building ? "building" : this.#state;
  }

  get history(): readonly Refresh[] {
    return this.#history;
  }

  get held(): Refresh | null {
    return this.#held?.refresh ?? null;
  }

  get waiting(): readonly string[] {
    return this.#waiting;
  }

  get restored(): boolean {
    return this.#restored;
  }

  /**
   * Loads DATA_DIR as it is now, and serves it from then on. Throws a refusal when
   * the exports cannot be served; `problem` then says so too.
   */
  async load(progress: Progress): Promise<Snapshot> {
    return await this.#loadOnce(progress, async () => ({
      found: await listExports(this.config.DATA_DIR),
      expected_rows: new Map(),
    }));
  }

  /**
   * Loads DATA_DIR once as `watch` does, with all that tells whether files are
   * whole: what `watch` waits for is judged at once. Answers what may be wrong with
   * files that are taken all the same. Throws as `load` does.
   */
  async check(
    progress: Progress,
  ): Promise<{ snapshot: Snapshot; warnings: readonly string[] }> {
    const { DATA_DIR, SETTLE_SECONDS, CSV_FINAL_NEWLINE } = this.config;
    const watch = new ExportWatch({
      data_dir: DATA_DIR,
      settle_ms: 0,
      final_newline_required: CSV_FINAL_NEWLINE === "required",
    });
    let warnings: readonly string[] = [];
    const snapshot = await this.#loadOnce(progress, async () => {
      let look = await watch.look();
      const patient_until = performance.now() + SETTLE_SECONDS * 1_000;
      while (look.waiting.length > 0) {
        if (performance.now() > patient_until) {
          throw refused({
            problem: look.waiting.join("\n"),
            remedy: "Check the folder when its files are written",
          });
        }
        await new Promise((resolve) => setTimeout(resolve, STEADY_MS));
        look = await watch.look();
      }
      if (look.problem) throw look.problem;
      warnings = look.warnings;
      return { found: look.found!, expected_rows: look.expected_rows };
    });
    return { snapshot, warnings };
  }

  async #loadOnce(
    progress: Progress,
    look: () => Promise<{
      found: Found;
      expected_rows: Look["expected_rows"];
    }>,
  ): Promise<Snapshot> {
    return await this.#exclusive(async () => {
      const started_at = now();
      try {
        await this.#open();
        const { found: files, expected_rows } = await look();
        const found = await this.#tablesIn(files);
        const snapshot = await this.#build(
          this.#exports(found, { strict: true }, progress),
          progress,
        );
        const wrong = rowsProblem(expected_rows, snapshot);
        if (wrong) {
          this.#retire(snapshot);
          throw wrong;
        }
        this.#serve(snapshot);
        this.#record(served(started_at, snapshot, []));
        return snapshot;
      } catch (error) {
        this.#fail(started_at, error);
        throw error;
      } finally {
        this.#building = false;
      }
    });
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
      const { snapshot, refresh } = this.#requireHeld(data_version);
      this.#held = null;
      this.#serve(snapshot);
      this.#record({ ...refresh, ended_at: now(), state: "serving" });
      await this.#keep(snapshot);
    });
  }

  async discard(data_version: string): Promise<void> {
    await this.#exclusive(async () => {
      this.#requireHeld(data_version);
      this.#dropHeld();
      this.#state = "serving";
      await this.#discard(data_version);
    });
  }

  async rollback(): Promise<void> {
    await this.#exclusive(async () => {
      const started_at = now();
      const state = this.#state_folder;
      const current = this.#snapshot;
      const kept = await state?.kept() ?? [];
      const at = kept.findIndex(({ loaded }) =>
        loaded.report.data_version === current?.data_version
      );
      const before = kept[at + 1];
      if (!state || !current || !before) {
        throw new StoreError(
          "conflict",
          state
            ? "No earlier data is kept."
            : "No earlier data is kept. Set STATE_DIR to keep the last good data.",
        );
      }
      const snapshot = await this.#build(this.#kept(state, before), () => {});
      const changes = await compareSnapshots(current, snapshot, this.#pace);
      const { data_version } = current;
      this.#dropHeld();
      await this.#discard(data_version);
      if (at >= 0) await state.drop(kept[at].name);
      this.#serve(snapshot);
      this.#restored = true;
      const reasons = [`rolled back from data version ${data_version}`];
      this.#record({ ...served(started_at, snapshot, reasons), changes });
    });
  }

  subscribe(listener: (refresh: Refresh) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Ends refreshes and snapshots, and removes every working file. */
  async close(): Promise<void> {
    this.#ended.abort();
    this.#wake.resolve();
    await this.#watching;
    await this.#last;
    this.#dropHeld();
    if (this.#snapshot) this.#retire(this.#snapshot);
    await Promise.all(this.#closing);
    const work_folder = this.#work_folder;
    this.#work_folder = null;
    await work_folder?.release();
  }

  async #open(): Promise<void> {
    if (this.#work_folder) return;
    const { config } = this;
    this.#work_folder = await claimWorkFolder(config.STAGING_DIR);
    this.#export_folder = new ExportFolder(this.#work_folder.path, {
      data_dir: config.DATA_DIR,
      ...stagingOptions(config),
      pace: this.#pace,
      max_upload_bytes: config.MAX_UPLOAD_BYTES,
    });
    if (!config.STATE_DIR) return;
    this.#state_folder = new StateFolder(config.STATE_DIR, this.log);
    await this.#state_folder.open();
    this.#discarded = await this.#state_folder.discarded();
  }

  /** The refresh loop: one of the two places that catch what is a bug. */
  async #refreshUntilClosed(progress: Progress): Promise<void> {
    const { signal } = this.#ended;
    const hints = this.#watchForHints();
    let last_error = "";
    try {
      await this.#open();
      await this.#exclusive(() => this.#restore(progress));
      await this.#export_folder!.clean();
    } catch (error) {
      this.#fail(now(), error);
    }
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      let pause_ms = this.config.REFRESH_SECONDS * 1_000 *
        (0.9 + 0.2 * Math.random());
      try {
        const acted = await this.#exclusive(() => this.#look(progress));
        if (!acted) pause_ms = Math.min(pause_ms, STEADY_MS);
        last_error = "";
      } catch (error) {
        // Looking may fail in the same way again and again.
        if (String(error) !== last_error) this.#fail(now(), error);
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
   * Deno.watchFs would tell of more, and would stop the process at a pipe: it opens
   * what is made in the folder, and waits for a writer.
   */
  #watchForHints(): { end(): Promise<void> } {
    let before: number | undefined;
    let looking: Promise<void> | null = null;
    const look = async () => {
      const info = await Deno.stat(this.config.DATA_DIR).catch(() => null);
      const changed_at = info?.mtime?.getTime() ?? 0;
      if (changed_at !== (before ?? changed_at)) this.#wake.resolve();
      before = changed_at;
      looking = null;
    };
    // A mount that does not answer is asked once.
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
    const look = await this.#watch.look();
    const time = performance.now();
    if (this.#next?.identity !== look.identity) {
      // What lies there when the process starts need not be looked at twice.
      const since = this.#next ? time : -Infinity;
      this.#next = { identity: look.identity, since };
    }
    this.#waiting = look.waiting;
    if (time >= this.#retry_at) this.#done = null;
    if (look.waiting.length > 0) return false;
    if (this.#done === look.identity) return true;
    if (time - this.#next.since < STEADY_MS) return false;
    this.#done = look.identity;
    this.#retry_at = Infinity;
    await this.#refresh(look, progress);
    return true;
  }

  async #refresh(look: Look, progress: Progress): Promise<void> {
    const started_at = now();
    this.#building = true;
    let built: OpenSnapshot | undefined;
    try {
      if (look.problem) throw look.problem;
      const found = await this.#tablesIn(look.found!);
      const previous = this.#snapshot;
      if (previous) {
        const version = await this.#versionOf(found);
        if (this.#isKnown(version, previous)) return;
      }
      built = await this.#build(
        this.#exports(found, { strict: previous === null }, progress),
        progress,
      );
      const wrong = rowsProblem(look.expected_rows, built);
      if (wrong) throw wrong;
      await this.#decide(started_at, built, look.warnings);
    } catch (error) {
      // Files that changed under it fail nothing: the next look takes them as they are.
      if (error instanceof StoreError && await this.#changedSince(look)) return;
      this.#fail(started_at, error);
    } finally {
      const used = [this.#snapshot, this.#held?.snapshot];
      if (built && !used.includes(built)) this.#retire(built);
      this.#building = false;
    }
  }

  /** Whether nothing is to be built, since the files came to this version before. */
  #isKnown(version: string, previous: OpenSnapshot): boolean {
    const is_held = version === this.#held?.snapshot.data_version;
    const is_served = version === previous.data_version;
    if (!is_held && !is_served && version !== this.#discarded) return false;
    if (!is_held) this.#dropHeld();
    if (is_served) this.#restored = false;
    this.#state = is_held ? "held" : "serving";
    this.#problem = null;
    return true;
  }

  async #changedSince({ identity }: Look): Promise<boolean> {
    return (await this.#watch.look()).identity !== identity;
  }

  /** Serves a new snapshot, or holds it. */
  async #decide(
    started_at: string,
    snapshot: OpenSnapshot,
    warnings: readonly string[],
  ): Promise<void> {
    const previous = this.#snapshot;
    const doubts = previous
      ? holdReasons(previous, snapshot, this.config.HOLD_DROP)
      : [];
    const changes = previous
      ? await compareSnapshots(previous, snapshot, this.#pace)
      : null;
    const reasons = [...doubts, ...warnings];
    const refresh = { ...served(started_at, snapshot, reasons), changes };
    this.#dropHeld();
    this.#problem = null;
    if (doubts.length > 0 && this.#holds()) {
      const held: Refresh = { ...refresh, state: "held" };
      this.#held = { snapshot, refresh: held };
      this.#record(held);
      return;
    }
    if (this.#discarded) await this.#discard(null);
    this.#serve(snapshot);
    this.#record(refresh);
    await this.#keep(snapshot);
  }

  #holds(): boolean {
    const { HOLD, ADMIN_KEY_SHA256 } = this.config;
    return HOLD ? HOLD === "on" : ADMIN_KEY_SHA256 !== undefined;
  }

  /** Serves the last good data while the exports are not loaded yet. */
  async #restore(progress: Progress): Promise<void> {
    const state = this.#state_folder;
    if (!state) return;
    for (const kept of await state.kept()) {
      const started_at = now();
      try {
        progress("opening the last good data");
        const snapshot = await this.#build(this.#kept(state, kept), progress);
        this.#serve(snapshot);
        this.#restored = true;
        const { loaded_at } = kept.loaded.report;
        const reasons = [`the last good data, loaded ${loaded_at}`];
        this.#record(served(started_at, snapshot, reasons));
        return;
      } catch (error) {
        // The one before it may be sound.
        this.#fail(started_at, error);
      }
    }
  }

  #tablesIn(found: Found): Promise<FoundTables> {
    return findExports(found, {
      data_dir: this.config.DATA_DIR,
      xlsx_max_bytes: this.config.XLSX_MAX_BYTES,
    });
  }

  async #versionOf({ files }: FoundTables): Promise<string> {
    const hashed = [];
    for (const file of inLoadOrder(files)) {
      hashed.push({ ...file, sha256: await this.#watch.sha256(file) });
    }
    return dataVersion(hashed, this.config);
  }

  #exports(
    found: FoundTables,
    options: Pick<LoadOptions, "strict">,
    progress: Progress,
  ): Fill {
    return (database, folder) =>
      loadExports(
        database,
        folder,
        found,
        { ...options, pace: this.#pace },
        this.config,
        progress,
      );
  }

  #kept(state: StateFolder, kept: KeptSnapshot): Fill {
    return async (database, folder) => {
      const copy = `${folder}/kept`;
      await state.restore(kept, copy);
      await database.importTables(copy);
      await database.runFile("load/4_serve/drop_query_tables");
      // What is built for questions compares names.
      await database.runFile("load/1_stage/rules");
      await Deno.remove(copy, { recursive: true });
      return kept.loaded;
    };
  }

  async #build(fill: Fill, progress: Progress): Promise<OpenSnapshot> {
    const { DUCKDB_THREADS } = this.config;
    // Half of them beside a snapshot that is served.
    const threads = this.#snapshot
      ? Math.max(1, Math.floor(DUCKDB_THREADS / 2))
      : DUCKDB_THREADS;
    const folder = `${this.#work_folder!.path}/${++this.#snapshots_made}`;
    const { signal } = this.#ended;
    try {
      await Deno.mkdir(folder);
      const opened = await openSnapshot(
        folder,
        fill,
        threads,
        this.config,
        this.#slots,
        (step) => {
          signal.throwIfAborted();
          progress(step);
        },
        signal,
      );
      const close = async () => {
        await opened.close();
        await Deno.remove(folder, { recursive: true });
      };
      return { ...opened, close };
    } catch (error) {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
      throw outOfSpace(error) ?? error;
    }
  }

  #serve(snapshot: OpenSnapshot): void {
    const previous = this.#snapshot;
    this.#snapshot = snapshot;
    this.#problem = null;
    this.#restored = false;
    if (previous) this.#retire(previous);
  }

  #retire(snapshot: OpenSnapshot): void {
    const closing = snapshot.close()
      .catch((error) => this.log((error as Error).stack ?? String(error)))
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Keeps what has gone live, as the last good data. */
  async #keep({ database, folder, loaded }: OpenSnapshot): Promise<void> {
    if (!this.#state_folder) return;
    const tables = `${folder}/export`;
    try {
      await database.exportTables(tables);
      await this.#state_folder.keep(tables, loaded);
    } catch (error) {
      this.log(
        `STATE_DIR does not keep data version ${loaded.report.data_version}: ${
          (error as Error).message
        }`,
      );
    } finally {
      await Deno.remove(tables, { recursive: true }).catch(() => {});
    }
  }

  async #discard(data_version: string | null): Promise<void> {
    this.#discarded = data_version;
    await this.#state_folder?.discard(data_version);
  }

  #dropHeld(): void {
    if (this.#held) this.#retire(this.#held.snapshot);
    this.#held = null;
  }

  #requireHeld(data_version: string): Held {
    if (this.#held?.snapshot.data_version === data_version) return this.#held;
    throw new StoreError(
      "conflict",
      this.#held
        ? `Held is data version ${this.#held.snapshot.data_version}.`
        : "No data is held.",
    );
  }

  #fail(started_at: string, error: unknown): void {
    if (this.#ended.signal.aborted) return;
    const known = error instanceof StoreError;
    if (!known) this.log((error as Error).stack ?? String(error));
    if (known && error.kind === "full") {
      this.#retry_at = performance.now() + RETRY_MS;
    }
    this.#problem = known
      ? error.message
      : "The load failed; the log says why.";
    this.#record({
      started_at,
      ended_at: now(),
      state: "failed",
      reasons: this.#problem.split("\n"),
      report: null,
      changes: null,
    });
  }

  #record(refresh: Refresh): void {
    const { report } = refresh;
    this.#state = refresh.state;
    this.#history.unshift({
      ...refresh,
      report: report && { ...report, set_aside_listed: [] },
    });
    this.#history.length = Math.min(this.#history.length, HISTORY);
    for (const listener of this.#listeners) listener(refresh);
  }

  #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => {});
    return result;
  }
}

function now(): string {
  return new Date().toISOString();
}

function served(
  started_at: string,
  { report }: OpenSnapshot,
  reasons: readonly string[],
): Refresh {
  return {
    started_at,
    ended_at: now(),
    state: "serving",
    reasons,
    report,
    changes: null,
  };
}

/** The refusal of files with other rows than manifest.json lists: of a workbook, in all its sheets that are read. */
function rowsProblem(
  expected_rows: Look["expected_rows"],
  { report }: OpenSnapshot,
): StoreError | undefined {
  const problems: LoadProblem[] = [];
  for (const [file, rows] of expected_rows) {
    const read = report.files.filter((one) => isOfFile(one.file, file));
    const rows_read = read.reduce((sum, one) => sum + one.rows_read, 0);
    if (read.length === 0 || rows_read === rows) continue;
    problems.push({
      file,
      problem: `${rows_read} rows, and manifest.json lists ${rows}`,
      remedy: "Deliver the whole set again, manifest.json last",
    });
  }
  return problems.length > 0 ? refused(...problems) : undefined;
}

/** DuckDB's errors that more memory or disk mends. */
function outOfSpace(error: unknown): StoreError | undefined {
  const message = error instanceof Error ? error.message : "";
  if (message.startsWith("Out of Memory Error")) {
    return new StoreError(
      "full",
      "DuckDB has too little memory for this data. Raise DUCKDB_MEMORY_LIMIT.",
    );
  }
  if (/No space left on device/i.test(message)) {
    return new StoreError(
      "full",
      "The disk under STAGING_DIR is full. Free some space, or set STAGING_DIR to another disk.",
    );
  }
}
