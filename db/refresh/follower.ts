/** Serves what another server loads: follows the archive of an engine, and reads no exports of its own. */

import type { Engine, EngineSnapshot, Progress } from "../engine.ts";
import { createInTurn } from "../model/in_turn.ts";
import { fault, type Log } from "../model/log.ts";
import { StoreError } from "../model/problems.ts";
import type { Changes, Refresh, RefreshState } from "../model/report.ts";
import type { ExportFiles, Refreshes, Snapshot, Store } from "../store.ts";
import { Closings } from "./closings.ts";
import { RefreshHistory } from "./refresh_history.ts";
import { type Decision, sequenceAfter } from "./transitions.ts";
import { claimWorkFolder, type WorkFolder } from "./work_folder.ts";

/** The settings that a follower needs. */
export interface FollowerOptions {
  /** Undefined: the system's temporary folder. */
  readonly staging_dir: string | undefined;
  readonly refresh_ms: number;
  readonly log: Log;
}

/** A store that serves the latest version of an archive. */
export class Follower implements Store, Refreshes {
  readonly #engine: Engine;
  readonly #options: FollowerOptions;
  #snapshot: EngineSnapshot | null = null;
  /** The name in the archive of what is served. */
  #served: string | null = null;
  /** Why the archive could not be followed; null when it was. */
  #problem: string | null = null;
  #discarded: readonly string[] = [];
  #building = false;
  #held: Refresh | null = null;
  readonly #history = new RefreshHistory();
  readonly #closings: Closings;
  readonly #ended = new AbortController();
  /** Looks. */
  readonly #exclusive = createInTurn();
  #wake = Promise.withResolvers<void>();
  #opening: Promise<void> | null = null;
  #following: Promise<void> | null = null;
  #work_folder: WorkFolder | null = null;
  #number = 0;

  constructor(engine: Engine, options: FollowerOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#closings = new Closings(options.log);
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  get problem(): string | null {
    return this.#snapshot ? null : this.#problem;
  }

  get notice(): string | null {
    return this.#snapshot && this.#problem !== null
      ? `New data is not followed: ${this.#problem}`
      : null;
  }

  get refreshes(): Refreshes {
    return this;
  }

  get files(): ExportFiles {
    const refuse = () => Promise.reject(this.#follows());
    return { list: refuse, put: refuse, remove: refuse, check: refuse };
  }

  get state(): RefreshState {
    const [latest] = this.#history.refreshes;
    return this.#building || !latest ? "building" : latest.state;
  }

  get history(): readonly Refresh[] {
    return this.#history.refreshes;
  }

  /** The loader knows them; this server does not compare. */
  readonly changes: Changes | null = null;
  readonly waiting: readonly string[] = [];
  readonly restored = false;

  get held(): Refresh | null {
    return this.#held;
  }

  get discarded(): string | null {
    return this.#discarded[0] ?? null;
  }

  request(): void {
    this.#wake.resolve();
  }

  accept(data_version: string): Promise<void> {
    return this.#decide({ type: "accept", data_version });
  }

  discard(data_version: string): Promise<void> {
    return this.#decide({ type: "discard", data_version });
  }

  rollback(data_version: string): Promise<void> {
    return this.#decide({ type: "rollback", data_version });
  }

  subscribe(listener: (refresh: Refresh) => void): () => void {
    return this.#history.subscribe(listener);
  }

  /** Opens STAGING_DIR, once. Throws a SettingError where it cannot be used. */
  open(): Promise<void> {
    return this.#opening ??= this.#open();
  }

  /** Follows the archive from now on, until the store is closed. */
  watch(progress: Progress): void {
    this.#following ??= this.#followUntilClosed(progress);
  }

  /** Ends the following; what is served stays so. */
  async stop(): Promise<void> {
    this.#ended.abort();
    this.#wake.resolve();
    await this.#opening?.catch(() => {});
    await this.#following;
    // A decision may be looking at the archive; a later look finds that the store has ended.
    await this.#exclusive(() => Promise.resolve());
  }

  /** Ends the following, and closes what is served. */
  async close(): Promise<void> {
    await this.stop();
    if (this.#snapshot) this.#closings.add(this.#snapshot.close());
    this.#snapshot = null;
    await this.#closings.all();
    await this.#engine.close();
    const work_folder = this.#work_folder;
    this.#work_folder = null;
    await work_folder?.release();
  }

  async #open(): Promise<void> {
    await this.#engine.open({ signal: this.#ended.signal });
    this.#work_folder = await claimWorkFolder(this.#options.staging_dir);
  }

  async #followUntilClosed(progress: Progress): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const began_at = now();
      try {
        await this.#exclusive(() => this.#look(progress, began_at));
        this.#noteFollowed();
      } catch (error) {
        if (!signal.aborted) this.#fail(error, began_at);
      }
      const timer = setTimeout(
        this.#wake.resolve,
        this.#options.refresh_ms * (0.9 + 0.2 * Math.random()),
      );
      if (!signal.aborted) await this.#wake.promise;
      clearTimeout(timer);
    }
  }

  /** Sends a decision to the loader, and serves what follows from it. */
  async #decide(decision: Decision): Promise<void> {
    const { shared } = this.#engine.archive!;
    if (!shared) throw this.#follows();
    const refusal = await shared.send(decision);
    if (refusal !== null) throw new StoreError("conflict", refusal);
    try {
      await this.#exclusive(() => this.#look(() => {}, now()));
    } catch (error) {
      // The loader has carried out the decision, even though this server stops.
      if (!this.#ended.signal.aborted) throw error;
    }
  }

  /** Serves the latest version when it is another one than is served. */
  async #look(progress: Progress, began_at: string): Promise<void> {
    this.#ended.signal.throwIfAborted();
    await this.open();
    const archive = this.#engine.archive!;
    this.#discarded = await archive.discarded();
    this.#held = await archive.shared?.held() ?? null;
    const [latest] = await archive.kept();
    if (!latest) {
      if (this.#snapshot) return;
      throw new StoreError(
        "unavailable",
        `${archive.name} has no data yet. Start a loader, or wait for the one that loads.`,
      );
    }
    if (latest.name === this.#served) return;
    this.#building = true;
    progress("opening the data");
    const folder = `${this.#work_folder!.path}/${++this.#number}`;
    try {
      await Deno.mkdir(folder);
      const snapshot = await archive.reopen(latest, {
        folder,
        beside_readers: this.#snapshot !== null,
        progress,
        signal: this.#ended.signal,
      });
      const previous = this.#snapshot;
      this.#snapshot = snapshot;
      this.#served = latest.name;
      if (previous) this.#closings.add(previous.close());
      this.#problem = null;
      const { report } = snapshot;
      this.#tell({ state: "serving", reasons: [], report }, began_at);
    } finally {
      this.#building = false;
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  }

  #fail(error: unknown, began_at: string): void {
    const known = error instanceof StoreError;
    const text = known ? error.message : "Following failed; the log says why.";
    if (text === this.#problem) return;
    this.#problem = text;
    if (!known) {
      this.#options.log(
        fault(error, { event: "follow_fault", text: "Following failed" }),
      );
    }
    this.#tell(
      { state: "failed", reasons: text.split("\n"), report: null },
      began_at,
    );
  }

  /** Says once that the archive is followed again. */
  #noteFollowed(): void {
    if (this.#problem === null) return;
    this.#problem = null;
    const report = this.#snapshot?.report ?? null;
    this.#tell(
      { state: "serving", reasons: ["followed again"], report },
      now(),
    );
  }

  #tell(
    result: Pick<Refresh, "state" | "reasons" | "report">,
    started_at: string,
  ): void {
    const ended_at = now();
    this.#history.tell({
      ...result,
      sequence: sequenceAfter(this.#history.refreshes[0] ?? null, ended_at),
      started_at,
      ended_at,
      changes: null,
    });
  }

  #follows(): StoreError {
    return new StoreError(
      "conflict",
      "This server follows a loader (ROLE=follower). Send the request to the loader.",
    );
  }
}

function now(): string {
  return new Date().toISOString();
}
