/** The embedded store: loads the exports and holds the snapshot that is served. */

import type { Config } from "../../config.ts";
import { refused, type Snapshot, type Store, StoreError } from "../store.ts";
import type { Progress } from "./load.ts";
import { createSlots, type Slots } from "./query_runner.ts";
import { type OpenSnapshot, openSnapshot } from "./snapshot.ts";
import { claimWorkFolder, type WorkFolder } from "./work_folder.ts";

/** A store on one machine, with DuckDB in this process. */
export class DuckdbStore implements Store {
  #snapshot: OpenSnapshot | null = null;
  #problem: string | null = null;
  #work_folder: WorkFolder | null = null;

  // Of the process and not of a snapshot, so that a refresh does not double them.
  readonly #slots: Slots;

  constructor(readonly config: Config) {
    this.#slots = createSlots(config);
  }

  get snapshot(): Snapshot | null {
    return this.#snapshot;
  }

  get problem(): string | null {
    return this.#problem;
  }

  /**
   * Loads DATA_DIR, and serves it from then on. Throws a refusal when the exports
   * cannot be served; `problem` then says so too.
   */
  async load(progress: Progress): Promise<Snapshot> {
    try {
      this.#work_folder ??= await claimWorkFolder(this.config.STAGING_DIR);
      const folder = `${this.#work_folder.path}/snapshot`;
      await Deno.mkdir(folder);
      this.#snapshot = await openSnapshot(
        folder,
        this.config,
        this.#slots,
        progress,
      );
      return this.#snapshot;
    } catch (cause) {
      const error = outOfSpace(cause) ?? cause;
      this.#problem = error instanceof StoreError
        ? error.message
        : "The load failed; the log says why.";
      throw error;
    }
  }

  /** Ends the snapshot and removes every working file. */
  async close(): Promise<void> {
    await this.#snapshot?.close();
    const work_folder = this.#work_folder;
    this.#work_folder = null;
    await work_folder?.release();
  }
}

/** DuckDB's errors that more memory or disk mends. */
function outOfSpace(error: unknown): StoreError | undefined {
  const message = error instanceof Error ? error.message : "";
  if (message.startsWith("Out of Memory Error")) {
    return refused({
      problem: "DuckDB has too little memory for this data",
      remedy: "Raise DUCKDB_MEMORY_LIMIT",
    });
  }
  if (/No space left on device/i.test(message)) {
    return refused({
      problem: "the disk under STAGING_DIR is full",
      remedy: "Free some space, or set STAGING_DIR to another disk",
    });
  }
}
