/** The embedded engine: builds, keeps and compares snapshots with DuckDB in this process. */

import type {
  Archive,
  BuildOptions,
  CompareOptions,
  Engine,
  KeptSnapshot,
} from "../engine.ts";
import type { StagedExports } from "../intake/staging.ts";
import { attributesOf, dimensionsWith } from "../model/dimensions.ts";
import type { Changes, Loaded } from "../model/report.ts";
import type { Pressure } from "../serving/pressure.ts";
import type { StateFolder } from "../refresh/archive.ts";
import { compareSnapshots } from "./compare.ts";
import { type Database, resourceProblem } from "./database.ts";
import { loadExports, type LoadSettings } from "./load.ts";
import { composedSql } from "./record_sql.ts";
import {
  type DuckdbSnapshot,
  type OpenOptions,
  openSnapshot,
  type ServingOptions,
} from "./snapshot.ts";

/** The settings that the engine needs. */
export interface DuckdbEngineOptions extends ServingOptions, LoadSettings {
  /** The folder where versions are kept; null keeps none. */
  readonly state_folder: StateFolder | null;
  /** Ends loads that take too much memory. */
  readonly pressure: Pick<Pressure, "beginLoad">;
}

/** Makes snapshots, each with a DuckDB instance of its own. */
export class DuckdbEngine implements Engine {
  readonly archive: Archive | null;
  readonly #options: DuckdbEngineOptions;

  constructor(options: DuckdbEngineOptions) {
    const { state_folder } = options;
    this.#options = options;
    this.archive = state_folder && {
      setting: "STATE_DIR",
      name: state_folder.name,
      lock: state_folder.lock,
      get is_ours() {
        return state_folder.is_ours;
      },
      get has_locks() {
        return state_folder.has_locks;
      },
      claim: () => state_folder.claim(),
      keptVersions: () => state_folder.keptVersions(),
      kept: () => state_folder.kept(),
      keep: (snapshot: DuckdbSnapshot) => keep(snapshot, state_folder),
      reopen: (kept, options) => this.#reopen(kept, state_folder, options),
      drop: (name) => state_folder.drop(name),
      discarded: () => state_folder.discarded(),
      markDiscarded: (versions) => state_folder.markDiscarded(versions),
    };
  }

  async open(): Promise<void> {
    await this.#options.state_folder?.open();
  }

  build(
    exports: StagedExports,
    options: BuildOptions,
  ): Promise<DuckdbSnapshot> {
    const { strict, progress } = options;
    return this.#open(
      (database) =>
        loadExports(database, exports, { ...this.#options, strict, progress }),
      { ...options, also_reads: [exports.folder] },
    );
  }

  compare(
    previous: DuckdbSnapshot,
    next: DuckdbSnapshot,
    options: Pick<CompareOptions, "pace">,
  ): Promise<Changes> {
    return compareSnapshots(previous, next, options);
  }

  close(): Promise<void> {
    // Each snapshot ends its own instance.
    this.#options.state_folder?.release();
    return Promise.resolve();
  }

  #reopen(
    kept: KeptSnapshot,
    state_folder: StateFolder,
    options: Omit<BuildOptions, "strict">,
  ): Promise<DuckdbSnapshot> {
    return this.#open(async (database) => {
      const copy = `${options.folder}/kept`;
      await state_folder.restore(kept, copy);
      await database.importTables(copy);
      const { sql } = await composedSql(
        "load/4_serve/drop_query_tables",
        dimensionsWith(attributesOf(kept.loaded.report)),
      );
      await database.run(sql);
      // The tables for queries need the macros that compare names.
      await database.runFile("load/1_stage/rules");
      await Deno.remove(copy, { recursive: true });
      return kept.loaded;
    }, options);
  }

  async #open(
    fill: (database: Database) => Promise<Loaded>,
    options:
      & Omit<BuildOptions, "strict">
      & Pick<OpenOptions, "also_reads">,
  ): Promise<DuckdbSnapshot> {
    const { threads, pressure } = this.#options;
    using load = pressure.beginLoad();
    try {
      return await openSnapshot(fill, {
        ...this.#options,
        ...options,
        signal: AbortSignal.any([options.signal, load.signal]),
        load_threads: options.beside_readers
          ? Math.max(1, Math.floor(threads / 2))
          : threads,
      });
    } catch (error) {
      load.signal.throwIfAborted();
      throw resourceProblem(error) ?? error;
    }
  }
}

async function keep(
  { database, folder, loaded }: DuckdbSnapshot,
  state_folder: StateFolder,
): Promise<void> {
  const tables = `${folder}/export`;
  try {
    await database.exportTables(tables);
    await state_folder.keep(tables, loaded);
  } finally {
    await Deno.remove(tables, { recursive: true }).catch(() => {});
  }
}
