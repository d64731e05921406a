/** What clients wait for, so that the end of the process can wait for it too, and cut off what is left. */

import { StoreError } from "../db/model/problems.ts";

/** What is under way: a JSON answer that takes a query, a download, or a file that a client sends. */
export type UnderwayKind = "answer" | "download" | "upload";

interface Piece {
  readonly kind: UnderwayKind;
  readonly cut: (reason: StoreError) => void;
}

/** The answers and uploads that are under way. Answers from memory end before anything else happens, and are not counted. */
export class Underway {
  readonly #pieces = new Set<Piece>();
  /** Are called when the last upload has ended. */
  #waiting: (() => void)[] = [];

  /** Notes that something began, until the result is disposed. `cut` ends it. */
  begin(
    kind: UnderwayKind,
    cut: (reason: StoreError) => void = () => {},
  ): Disposable {
    const piece = { kind, cut };
    this.#pieces.add(piece);
    return {
      [Symbol.dispose]: () => {
        this.#pieces.delete(piece);
        if (this.#has("upload")) return;
        for (const resolve of this.#waiting.splice(0)) resolve();
      },
    };
  }

  /** Resolves when no upload is under way. */
  async uploadsEnded(): Promise<void> {
    if (!this.#has("upload")) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Ends everything that is under way; returns how much that was, by kind. */
  cutOff(): ReadonlyMap<UnderwayKind, number> {
    const counts = new Map<UnderwayKind, number>();
    for (const { kind, cut } of [...this.#pieces]) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      cut(new StoreError("unavailable", "The process stops. Ask again."));
    }
    return counts;
  }

  #has(wanted: UnderwayKind): boolean {
    return [...this.#pieces].some(({ kind }) => kind === wanted);
  }
}
