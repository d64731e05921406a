/** Keeps what is served in an archive that other processes may use too: who has it, what failed, and when it is tried again. */

import type {
  Archive,
  EngineSnapshot,
  KeptSnapshot,
  SentDecision,
} from "../engine.ts";
import type { Log } from "../model/log.ts";
import { StoreError } from "../model/problems.ts";
import type { Refresh } from "../model/report.ts";
import type { Effect } from "./transitions.ts";

/** Time until what could not be written is written again, in milliseconds. */
const RETRY_MS = 30_000;

/** What is written to the archive. */
type Write =
  | { readonly type: "keep" }
  | Extract<Effect, { type: "mark_discarded" | "drop_kept" }>
  | { readonly type: "note_held"; readonly refresh: Refresh | null }
  | {
    readonly type: "answer";
    readonly sent: SentDecision;
    /** Why it is refused; null when it is carried out. */
    readonly refusal: string | null;
  };

/** What is wrong while a write fails; the setting stands before it. */
const FAILED: Readonly<Record<Write["type"], string>> = {
  keep: "does not keep the data that is served",
  mark_discarded: "does not remember which data was discarded",
  drop_kept: "still has the data that was rolled back",
  note_held: "does not tell followers which data waits for a decision",
  answer: "does not tell a follower what became of its decision",
};

/** What the archive says of decisions, by whichever process. */
export interface Decided {
  /** The data versions that are kept, the latest first. */
  readonly kept: readonly string[];
  readonly discarded: readonly string[];
}

/** The archive of a store. What it cannot do is logged and said in `notice`, and stops nothing: answers do not depend on it. */
export class ArchiveKeeper {
  readonly #archive: Archive;
  readonly #log: Log;
  /** Why the archive is not used as it should be; null when it is. */
  #problem: string | null = null;
  /** What was logged of it since it was last used as it should be. */
  readonly #noted = new Set<string>();
  /** Who else has the archive, as it was logged. */
  #shared: string | null = null;
  /** What could not be written yet, each under a name that a later write replaces. */
  readonly #unwritten = new Map<string, Write>();
  #write_at = Infinity;
  /** The version that waits for a decision, as followers were told; undefined before that. */
  #noted_held: Refresh | null | undefined;
  /** The decisions of followers that were taken up, until their answers are written. */
  readonly #taken = new Set<string>();

  constructor(archive: Archive, log: Log) {
    this.#archive = archive;
    this.#log = log;
  }

  /** What an operator should know; null when all is well. */
  get notice(): string | null {
    return this.#problem ?? this.#shared;
  }

  /** Throws a conflict when another process decides. */
  requireOurs(): void {
    const { name, lock, is_ours } = this.#archive;
    if (is_ours) return;
    throw new StoreError(
      "conflict",
      `${name} is locked by another process (${lock}), which decides. Send the request to that one, or again when it has ended.`,
    );
  }

  /** Logs who else has the archive, when that has changed. */
  noteSharing(): void {
    const { name, lock, is_ours, has_locks } = this.#archive;
    const text = !is_ours
      ? `${name} is locked by another process (${lock}): this one serves from it, and keeps and decides nothing until that one has ended.`
      : has_locks
      ? null
      : `${name} is on a file system without locks: let no other process use it.`;
    if (text !== null && text !== this.#shared) {
      this.#log({ level: "warning", event: "state_dir_shared", text });
    }
    this.#shared = text;
  }

  /**
   * Takes the archive when nobody has it; `served` is kept from then on, and `discarded`
   * remembered. Returns whether it was taken now, and what was decided by the process that
   * has it, or had it until now; null when this one decides.
   */
  async tend(
    { served, discarded }: {
      readonly served: EngineSnapshot | null;
      readonly discarded: readonly string[];
    },
  ): Promise<{ readonly taken: boolean; readonly decided: Decided | null }> {
    const archive = this.#archive;
    let taken = false;
    try {
      const claim = await archive.claim();
      this.noteSharing();
      this.#noteUse();
      taken = claim === "taken";
      if (claim === "held") return { taken, decided: null };
      if (claim === "locked") {
        // Another process decides, so nothing of this one is written later.
        this.#unwritten.clear();
        this.#taken.clear();
        this.#noted_held = undefined;
        return { taken, decided: await this.#decided() };
      }
      this.#log({
        level: "info",
        event: "state_dir_taken",
        text: `${archive.name} is kept by this process from now on.`,
      });
      const found = await this.#decided();
      // One that was made anew has forgotten what was decided.
      const is_new = found.kept.length === 0 && found.discarded.length === 0;
      // Decisions of this process that could not be written count before those in it.
      this.#write_at = 0;
      await this.writeAgain(served);
      const decided = await this.#decided();
      if (served && !decided.kept.includes(served.data_version)) {
        this.#writeSoon({ type: "keep" });
      }
      if (!is_new) return { taken, decided };
      if (discarded.length > 0) {
        this.#writeSoon({ type: "mark_discarded", data_versions: discarded });
      }
    } catch (error) {
      this.#note((error as Error).message);
    }
    return { taken, decided: null };
  }

  async #decided(): Promise<Decided> {
    const [kept, discarded] = await Promise.all([
      this.#archive.keptVersions(),
      this.#archive.discarded(),
    ]);
    return { kept, discarded };
  }

  /** The versions that are kept, the latest first, and which were discarded; null where the archive cannot tell. */
  async last(): Promise<
    | {
      readonly kept: readonly KeptSnapshot[];
      readonly discarded: readonly string[];
    }
    | null
  > {
    const archive = this.#archive;
    try {
      const discarded = await archive.discarded();
      return { kept: await archive.kept(), discarded };
    } catch (error) {
      this.#note(
        `${archive.name} cannot be read: ${(error as Error).message}`,
      );
      return null;
    }
  }

  /** When what could not be written is written again, by `performance.now()`. */
  get write_at(): number {
    return this.#write_at;
  }

  /** Writes what could not be written, when that is due; `snapshot` is what is served. */
  async writeAgain(snapshot: EngineSnapshot | null): Promise<void> {
    if (performance.now() < this.#write_at) return;
    this.#write_at = Infinity;
    for (const write of [...this.#unwritten.values()]) {
      await this.carryOut(write, snapshot);
    }
  }

  /** Notes that another version is served: the one before need not be kept any more. */
  forget(): void {
    this.#unwritten.delete("keep");
  }

  /** Writes to the archive; again later, where that fails. `snapshot` is what is served. */
  async carryOut(
    write: Write,
    snapshot: EngineSnapshot | null,
  ): Promise<void> {
    const { is_ours, setting } = this.#archive;
    if (!is_ours) return;
    const name = nameOf(write);
    try {
      await this.#write(write, snapshot);
      this.#unwritten.delete(name);
    } catch (error) {
      this.#unwritten.set(name, write);
      this.#write_at = performance.now() + RETRY_MS;
      this.#note(
        `${setting} ${FAILED[write.type]}: ${(error as Error).message}`,
      );
    }
  }

  #writeSoon(write: Write): void {
    this.#unwritten.set(nameOf(write), write);
    this.#write_at = 0;
  }

  async #write(write: Write, snapshot: EngineSnapshot | null): Promise<void> {
    const archive = this.#archive;
    switch (write.type) {
      case "keep":
        return await archive.keep(snapshot!);
      case "mark_discarded":
        return await archive.markDiscarded(write.data_versions);
      case "drop_kept":
        return await archive.drop(write.name);
      case "note_held":
        return await archive.shared!.noteHeld(write.refresh);
      case "answer":
        await archive.shared!.answer(write.sent, write.refusal);
        this.#taken.delete(write.sent.id);
    }
  }

  /** Notes that the archive is there, and whether it has all that it should. */
  #noteUse(): void {
    if (this.#problem === null || this.#unwritten.size > 0) return;
    this.#problem = null;
    this.#noted.clear();
    const text = `${this.#archive.name} is used as it should be again.`;
    this.#log({ level: "info", event: "state_dir_usable", text });
  }

  /** Tells followers which version waits for a decision, where that is news to them; null for none. */
  async noteHeld(refresh: Refresh | null): Promise<void> {
    const { shared, is_ours } = this.#archive;
    if (!shared || !is_ours || refresh === this.#noted_held) return;
    this.#noted_held = refresh;
    await this.carryOut({ type: "note_held", refresh }, null);
  }

  /** The decisions that followers were sent, each once; none while another process decides. */
  async sent(): Promise<readonly SentDecision[]> {
    const { shared, is_ours } = this.#archive;
    if (!shared || !is_ours) return [];
    try {
      // One of them may be answered while the archive is asked.
      const taken = new Set(this.#taken);
      const sent = await shared.sent();
      const news = sent.filter(({ id }) => !taken.has(id));
      for (const { id } of news) this.#taken.add(id);
      return news;
    } catch (error) {
      this.#note((error as Error).message);
      return [];
    }
  }

  /** Answers a decision that a follower was sent: it is carried out, or `error` says why not. */
  async answer(sent: SentDecision, error: unknown): Promise<void> {
    const { type, data_version } = sent;
    const refusal = error === null ? null : (error as Error).message;
    this.#log({
      level: refusal === null ? "info" : "warning",
      event: "decision_followed",
      text: `${type} of data version ${data_version}, sent to a follower: ${
        refusal ?? "carried out"
      }`,
    });
    await this.carryOut({ type: "answer", sent, refusal }, null);
  }

  #note(text: string): void {
    this.#problem = text;
    // Two problems may alternate with every look.
    if (this.#noted.has(text)) return;
    this.#noted.add(text);
    this.#log({ level: "error", event: "state_dir_unusable", text });
  }
}

/** Under this name a write is remembered until it succeeds; one replaces another of the same name. */
function nameOf(write: Write): string {
  switch (write.type) {
    case "drop_kept":
      return `drop_kept ${write.name}`;
    case "answer":
      return `answer ${write.sent.id}`;
    default:
      return write.type;
  }
}
