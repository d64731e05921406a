/** Checks of files: what a refresh would do with a file in the folder, built beside what is served. */

import type { ExportFolder } from "../intake/export_folder.ts";
import type { ExportWatch, Look } from "../intake/export_watch.ts";
import type { Replacement } from "../intake/find_files.ts";
import { lookWhole } from "../intake/whole_look.ts";
import type { InTurn } from "../model/in_turn.ts";
import { StoreError } from "../model/problems.ts";
import type { Checked, CheckOptions } from "../store.ts";
import type { OpenVersions } from "./open_versions.ts";
import type { OutcomeEvent, Version } from "./transitions.ts";

/** What checks are made with. */
export interface CheckParts {
  readonly versions: OpenVersions;
  /** Refreshes and decisions take turns by it. */
  readonly exclusive: InTurn;
  /** Ends every check. */
  readonly ended: AbortSignal;
  /** How long a file that may be cut must stay unchanged, in milliseconds. */
  readonly settle_ms: number;
  isBuilding(): boolean;
  watchWith(
    looking: {
      readonly settle_ms: 0;
      readonly replacement: Replacement;
      readonly signal: AbortSignal;
    },
  ): ExportWatch;
  /** Why a version should wait for a decision, beside what is served. */
  doubtsOf(version: Version): string[];
  /** What a refresh would do that ended with this event. */
  outcome(event: OutcomeEvent): Checked;
}

/** The build of a check, to which a refresh and a decision come first. */
interface Trial {
  readonly giving_way: AbortController;
  readonly over: Promise<void>;
}

/** One check at a time, which gives way to whatever else goes live. */
export class FileChecks {
  readonly #parts: CheckParts;
  /** Whether a file is being checked, from its first byte on. */
  #checking = false;
  /** Begins in turn, and goes on beside others; while there is one, nothing else goes live. */
  #trial: Trial | null = null;

  constructor(parts: CheckParts) {
    this.#parts = parts;
  }

  /** Receives a file and checks it. Throws a conflict when that cannot be now. */
  async check(
    folder: () => ExportFolder,
    { name, body, options: { signal, ...upload } }: {
      readonly name: string;
      readonly body: ReadableStream<Uint8Array>;
      readonly options: CheckOptions;
    },
  ): Promise<Checked> {
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
        .receive(name, body, upload);
      return await this.#build(received, { signal });
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === "refused")) {
        throw error;
      }
      const reasons = error.message.split("\n");
      return this.#parts.outcome({ type: "failed", reasons });
    } finally {
      this.#checking = false;
    }
  }

  /** Ends the build of a check, if there is one, and waits for its end. */
  async giveWay(): Promise<void> {
    this.#trial?.giving_way.abort();
    await this.over();
  }

  /** Waits for the end of the build of a check. */
  async over(): Promise<void> {
    await this.#trial?.over;
  }

  #requireNoBuild(): void {
    if (!this.#parts.isBuilding()) return;
    throw new StoreError(
      "conflict",
      "A refresh is being built. Send the file when it has ended.",
    );
  }

  /** Builds the folder with `replacement` in it, beside what is served, and removes what was built. */
  async #build(
    replacement: Replacement,
    { signal: client }: { readonly signal: AbortSignal },
  ): Promise<Checked> {
    const { versions, exclusive, ended, watchWith, doubtsOf, outcome } =
      this.#parts;
    const giving_way = new AbortController();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    // One may have begun while the file was received; the turn comes after its end.
    this.#requireNoBuild();
    // In turn, so that no decision is being carried out.
    await exclusive(() => {
      this.#requireNoBuild();
      this.#trial = { giving_way, over };
      return Promise.resolve();
    });
    const signal = AbortSignal.any([
      giving_way.signal,
      client,
      ended,
    ]);
    const watch = watchWith({ settle_ms: 0, replacement, signal });
    let look: Look | undefined;
    try {
      signal.throwIfAborted();
      look = await lookWhole(watch, {
        settle_ms: this.#parts.settle_ms,
        signal,
        // A refresh would go on waiting, so this is no refusal.
        incomplete: (waiting) =>
          new StoreError(
            "conflict",
            `Files in the data folder are still being written. ${waiting}`,
          ),
      });
      await using exports = await versions.stage(look.found!, signal);
      const { expected_rows, warnings } = look;
      const version = await versions.build(exports, { expected_rows, signal });
      try {
        const doubts = doubtsOf(version);
        return outcome({ type: "built", version, doubts, warnings });
      } finally {
        await versions.close(version);
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
        (await watch.look()).identity !== look.identity
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
}
