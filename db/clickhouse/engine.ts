/** The engine for more than one machine: exports are cleaned here, and each version is a database of ClickHouse, which every server reads. */

import { setTimeout as delay } from "node:timers/promises";
import type { Clean } from "../cleaned.ts";
import type {
  Archive,
  BuildOptions,
  Claim,
  CompareOptions,
  Engine,
  KeptSnapshot,
} from "../engine.ts";
import type { StagedExports } from "../intake/staging.ts";
import { fault, type Log } from "../model/log.ts";
import { refused, SettingError, StoreError } from "../model/problems.ts";
import type { Changes } from "../model/report.ts";
import type { Decision } from "../refresh/transitions.ts";
import { compareSnapshots } from "./compare.ts";
import {
  dimensionsOf,
  storedText,
  type StoredVersion,
  versionName,
  versionNumber,
} from "./journal.ts";
import { JournalTable } from "./journal_table.ts";
import type { Place } from "./schema.ts";
import { ClickhouseServer, gone, type ServerOptions } from "./server.ts";
import {
  type ClickhouseSnapshot,
  openSnapshot,
  type ServingOptions,
} from "./snapshot.ts";
import { dropDatabase, transfer } from "./transfer.ts";

/** The settings that the engine needs. */
export interface ClickhouseEngineOptions extends ServingOptions {
  readonly server: Omit<ServerOptions, "is_cluster">;
  /** The database of the journal; those of versions have names that begin with it. */
  readonly place: Place;
  /** How exports are cleaned; null in a server that follows a loader. */
  readonly clean: Clean | null;
  /** Of this process, for other loaders. */
  readonly name: string;
  /** How long a loader that is not heard of still is the loader, in milliseconds. */
  readonly lease_ms?: number;
  readonly log: Log;
}

/** A kept version, with all that is stored of it. */
interface KeptVersion extends KeptSnapshot {
  readonly stored: StoredVersion;
}

const KEPT = 3;
/** The codes of ClickHouse's errors about a cluster that it does not know. */
const NO_CLUSTER = ["170", "701"];
/** What ClickHouse itself says may have names of hosts and folders: it is in the log. */
const UNKNOWN_ERROR =
  "ClickHouse has answered with an error that Tally does not know; the log says which.";
/** After this many seconds, no server reads a version that was dropped. */
const GRACE_SECONDS = 60;
const LEASE_MS = 30_000;
/** Time in which a loader takes up a decision that a follower was sent, in milliseconds. */
const ANSWER_MS = 10_000;
/** Time between two looks whether the loader before has gone, in milliseconds. */
const WAIT_MS = 1_000;
/** Time that a process that ends has left for what is under way, and to give its lease back, in milliseconds. */
const ENDING_MS = 3_000;

/** Makes snapshots, each in a database of its own. */
export class ClickhouseEngine implements Engine {
  readonly archive: Archive;
  readonly #options: ClickhouseEngineOptions;
  /** Is asked until the process ends. */
  readonly #server: ClickhouseServer;
  /** The same, for questions: each has its own limit of time. */
  readonly #answering: ClickhouseServer;
  readonly #ended = new AbortController();
  readonly #journal: JournalTable;
  readonly #lease_ms: number;
  /** The databases of versions that are being built, or are open here. */
  readonly #in_use = new Set<string>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #ending_timer: ReturnType<typeof setTimeout> | undefined;
  #tending: Promise<unknown> = Promise.resolve();
  /** What is under way is not begun a second time: a server may hang. */
  #claiming: Promise<Claim> | null = null;
  #sweeping: Promise<void> | null = null;
  #has_journal = false;
  /** Whether another loader was seen at the last look. */
  #is_locked = false;
  #last_problem = "";
  /** The kept versions that were logged as those of another build. */
  #passed_over: ReadonlySet<string> = new Set();

  constructor(options: ClickhouseEngineOptions) {
    this.#options = options;
    const is_cluster = options.place.cluster !== null;
    const reached = { ...options.server, is_cluster };
    const { signal } = this.#ended;
    this.#server = new ClickhouseServer({ ...reached, signal });
    this.#answering = new ClickhouseServer(reached);
    this.#lease_ms = options.lease_ms ?? LEASE_MS;
    this.#journal = new JournalTable(this.#server, {
      place: options.place,
      lease: {
        is_loader: options.clean !== null,
        name: options.name,
        lease_ms: this.#lease_ms,
      },
    });
    this.archive = this.#createArchive();
  }

  /**
   * Becomes the loader, where it is to be one; a server that is gone is waited for by
   * `claim`. Throws a SettingError when there is another loader, or no access.
   */
  async open(
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    signal?.addEventListener("abort", () => {
      this.#ending_timer = setTimeout(() => this.#ended.abort(), ENDING_MS);
    });
    if (!this.#options.clean || this.#timer !== undefined) return;
    this.#timer = setInterval(
      () => this.#tending = this.#tend(),
      this.#lease_ms / 3,
    );
    const patient_until = performance.now() + this.#lease_ms + WAIT_MS;
    try {
      // One that was killed still has its lease for a while.
      while (await this.#claim() === "locked") {
        if (performance.now() > patient_until) {
          throw await this.#anotherLoader();
        }
        // Two that came at once do not meet again.
        const wait_ms = WAIT_MS * (0.5 + Math.random());
        await delay(wait_ms, undefined, { signal });
      }
    } catch (error) {
      // A server that is gone comes back; a wrong setting stays wrong.
      if (error instanceof StoreError && error.kind === "busy") {
        this.#note(error);
        return;
      }
      clearInterval(this.#timer);
      // One that ends need not become the loader.
      if (signal?.aborted) return;
      const { cluster } = this.#options.place;
      const { code } = error as { readonly code?: string };
      if (cluster !== null && NO_CLUSTER.includes(code ?? "")) {
        throw new SettingError("CLICKHOUSE_CLUSTER", {
          value: cluster,
          problem: "is no cluster of this ClickHouse",
        });
      }
      throw error instanceof StoreError && !(error instanceof SettingError)
        ? new SettingError("CLICKHOUSE_USER", {
          value: this.#options.server.user,
          problem: error.message.replace(/\.$/, ""),
        })
        : error;
    }
  }

  async build(
    exports: StagedExports,
    options: BuildOptions,
  ): Promise<ClickhouseSnapshot> {
    const { place, clean } = this.#options;
    if (!clean) throw this.#notLoader();
    this.#requireLoader();
    const { progress, signal } = options;
    const cleaned = await clean(exports, options);
    try {
      const { loaded, customer_names, days } = cleaned;
      const stored = { loaded, customer_names, days };
      const database = versionName(place.database, {
        number: await this.#nextNumber(),
        data_version: loaded.report.data_version,
      });
      this.#in_use.add(database);
      try {
        await transfer(this.#server, {
          cleaned,
          place: { ...place, database },
          dimensions: dimensionsOf(stored),
          progress,
          signal,
        });
        return await this.#openVersion(database, {
          stored,
          signal,
        });
      } catch (error) {
        await this.#leave(database);
        throw error;
      }
    } finally {
      cleaned.close();
    }
  }

  compare(
    previous: ClickhouseSnapshot,
    next: ClickhouseSnapshot,
    { signal }: Pick<CompareOptions, "signal">,
  ): Promise<Changes> {
    return compareSnapshots(this.#server, { previous, next, signal });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#tending;
    try {
      if (this.#journal.is_ours) await this.#sweep();
      await this.#journal.release();
    } catch (error) {
      this.#note(error);
    }
    clearTimeout(this.#ending_timer);
    await this.#server.close();
    await this.#answering.close();
  }

  #createArchive(): Archive {
    const journal = this.#journal;
    const { place } = this.#options;
    const isLocked = () => this.#is_locked;
    return {
      setting: "CLICKHOUSE_DATABASE",
      name: `CLICKHOUSE_DATABASE=${JSON.stringify(place.database)}`,
      lock: journal.lock,
      // Until another loader was seen: a server that is gone has none.
      get is_ours() {
        return !isLocked();
      },
      has_locks: true,
      claim: () => this.#claim(),
      keptVersions: async () => {
        const { kept } = await journal.state();
        return kept.map(({ data_version }) => data_version).reverse();
      },
      kept: () => this.#kept(),
      keep: (snapshot: ClickhouseSnapshot) => this.#keep(snapshot),
      reopen: (kept: KeptVersion, options) => this.#reopen(kept, options),
      drop: (version) => this.#drop(version),
      discarded: async () => (await journal.state()).discarded,
      markDiscarded: (data_versions) =>
        journal.append("discarded", {
          payload: JSON.stringify(data_versions),
        }),
      shared: {
        held: async () => (await journal.state()).held,
        async noteHeld(refresh) {
          if (refresh === null && (await journal.state()).held === null) return;
          const payload = refresh ? JSON.stringify(refresh) : "";
          await journal.append("held", { payload });
        },
        send: (decision) => this.#send(decision),
        sent: () => journal.sent(),
        answer: ({ id }, refusal) =>
          journal.append("answered", { version: id, payload: refusal ?? "" }),
      },
    };
  }

  async #send(decision: Decision): Promise<string | null> {
    const id = await this.#journal.send(decision);
    const patient_until = performance.now() + ANSWER_MS;
    while (performance.now() < patient_until) {
      await delay(ANSWER_MS / 40);
      const answer = await this.#journal.answerTo(id);
      if (answer !== undefined) return answer || null;
    }
    throw new StoreError(
      "busy",
      "The decision is stored, and the loader has not carried it out yet. /api/v1/data shows when it has.",
      { retry_seconds: 10 },
    );
  }

  async #claim(): Promise<Claim> {
    this.#claiming ??= this.#claimOnce().finally(() => this.#claiming = null);
    const claim = await this.#claiming;
    if (claim === "taken") await this.#sweep();
    return claim;
  }

  async #claimOnce(): Promise<Claim> {
    if (!this.#options.clean) return "locked";
    if (!this.#has_journal) await this.#journal.create();
    this.#has_journal = true;
    const claim = await this.#journal.claim();
    this.#is_locked = claim === "locked";
    return claim;
  }

  async #kept(): Promise<KeptVersion[]> {
    const { kept } = await this.#journal.state();
    const found: KeptVersion[] = [];
    const passed_over = new Set<string>();
    for (const { version, stored } of kept.toReversed()) {
      if (stored) {
        found.push({ name: version, loaded: stored.loaded, stored });
        continue;
      }
      passed_over.add(version);
      // A follower asks every few seconds.
      if (this.#passed_over.has(version)) continue;
      this.#options.log({
        level: "warning",
        event: "kept_version_passed_over",
        text:
          `${this.archive.name}: ${version} is passed over: another version of this program wrote it`,
        version,
      });
    }
    this.#passed_over = passed_over;
    return found;
  }

  async #keep({ version, stored }: ClickhouseSnapshot): Promise<void> {
    this.#requireLoader();
    const { data_version } = stored.loaded.report;
    await this.#journal.append("published", {
      version: version.database,
      data_version,
      payload: storedText(stored),
    });
    const { kept } = await this.#journal.state();
    for (const { version } of kept.slice(0, -KEPT)) await this.#drop(version);
  }

  async #reopen(
    { name, stored }: KeptVersion,
    { signal }: Pick<BuildOptions, "signal">,
  ): Promise<ClickhouseSnapshot> {
    if (!(await this.#versions()).includes(name)) {
      throw refused({
        problem: `${name} is gone from ClickHouse`,
        remedy: "Deliver the exports again",
      });
    }
    this.#in_use.add(name);
    try {
      return await this.#openVersion(name, { stored, signal });
    } catch (error) {
      this.#in_use.delete(name);
      throw error;
    }
  }

  async #drop(version: string): Promise<void> {
    // Its database stays a while, since other servers may be answering from it.
    await this.#journal.append("dropped", { version });
  }

  #openVersion(
    database: string,
    { stored, signal }: {
      readonly stored: StoredVersion;
      readonly signal: AbortSignal;
    },
  ): Promise<ClickhouseSnapshot> {
    return openSnapshot(this.#answering, {
      ...this.#options,
      database,
      stored,
      signal,
      onClose: () => this.#leave(database),
    });
  }

  /** Notes that nobody here uses a database, and drops it unless it is kept. */
  async #leave(database: string): Promise<void> {
    this.#in_use.delete(database);
    if (!this.#journal.is_ours) return;
    try {
      await this.#sweep();
    } catch (error) {
      // The next look drops it.
      this.#note(error);
    }
  }

  /** Keeps the lease, and drops what nobody needs. */
  async #tend(): Promise<void> {
    try {
      if (await this.#claim() === "held") {
        // It may take longer than a lease, which the next looks keep.
        this.#sweeping ??= this.#sweep()
          .finally(() => this.#sweeping = null);
        await this.#sweeping;
      }
      this.#last_problem = "";
    } catch (error) {
      this.#note(error);
    }
  }

  /** Drops the databases of versions that are not kept, nor open or being built here: also those that a killed loader left. */
  async #sweep(): Promise<void> {
    const { place } = this.#options;
    const { kept } = await this.#journal.state();
    const needed = new Set([
      ...kept.map(({ version }) => version),
      ...this.#in_use,
      ...await this.#journal.droppedWithin(GRACE_SECONDS),
    ]);
    for (const database of await this.#versions()) {
      // One may have been taken into use meanwhile.
      if (needed.has(database) || this.#in_use.has(database)) continue;
      await this.#server.run({ sql: dropDatabase({ ...place, database }) });
    }
    await this.#journal.prune(GRACE_SECONDS);
  }

  /** The databases of versions, whole or not. */
  async #versions(): Promise<string[]> {
    const rows = await this.#server.rows({
      sql: "select name from system.databases order by name",
    });
    const base = this.#options.place.database;
    return rows.map(([name]) => name as string)
      .filter((name) => versionNumber(base, name) !== undefined);
  }

  async #nextNumber(): Promise<number> {
    const base = this.#options.place.database;
    const { kept } = await this.#journal.state();
    const names = [
      ...await this.#versions(),
      ...kept.map(({ version }) => version),
    ];
    return 1 + Math.max(0, ...names.map((name) => versionNumber(base, name)!));
  }

  async #anotherLoader(): Promise<SettingError> {
    const other = await this.#journal.otherLoader();
    return new SettingError("ROLE", {
      value: "loader",
      problem:
        `another loader (${other}) loads into ${this.archive.name}, and there can be one. Set ROLE=follower to serve what it loads`,
    });
  }

  #requireLoader(): void {
    if (this.#is_locked) throw this.#notLoader();
    // Without another loader, this one only waits for an answer to become it.
    if (!this.#journal.is_ours) throw gone();
  }

  #notLoader(): StoreError {
    return new StoreError(
      "conflict",
      `Another server loads into ${this.archive.name} (${this.#journal.lock}).`,
    );
  }

  #note(error: unknown): void {
    const text = error instanceof StoreError ? error.message : UNKNOWN_ERROR;
    if (text === this.#last_problem) return;
    this.#last_problem = text;
    this.#options.log(
      error instanceof StoreError
        ? { level: "error", event: "clickhouse_problem", text }
        : fault(error, { event: "clickhouse_fault", text }),
    );
  }
}
