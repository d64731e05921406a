/** The end of a question: after its time limit, or when no client waits for it. */

import { StoreError, tooMany } from "../db/model/problems.ts";
import type { Limit } from "../db/model/run.ts";

/** The end of one question. */
export class Deadline implements Disposable, Limit {
  readonly ends_at_ms: number;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  #waited_ms = Infinity;

  /**
   * Aborts the signal in `timeout_ms` unless it is disposed: with a StoreError
   * "timeout", or with "busy" when the question has waited longer than it ran.
   */
  constructor(timeout_ms: number) {
    this.ends_at_ms = performance.now() + timeout_ms;
    this.#timer = setTimeout(
      () =>
        this.abort(
          this.#waited_ms > timeout_ms / 2 ? tooMany() : new StoreError(
            "timeout",
            `The answer took longer than ${timeout_ms} ms. Ask for less, such as a shorter period.`,
          ),
        ),
      timeout_ms,
    );
  }

  /** Notes that the question has its slot, for which it waited so long, in milliseconds. */
  begin(waited_ms: number): void {
    this.#waited_ms = waited_ms;
  }

  /** Is aborted at the end of the question. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the question, which throws `reason`. */
  abort(reason: unknown): void {
    this[Symbol.dispose]();
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
