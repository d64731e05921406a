/** The end of a question: after its time limit, or when no client waits for it. */

import { StoreError } from "../db/model/problems.ts";
import type { Limit } from "../db/model/run.ts";

/** The end of one question. */
export class Deadline implements Disposable, Limit {
  readonly ends_at_ms: number;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;

  /** Aborts the signal with a StoreError "timeout" in `timeout_ms` unless it is disposed. */
  constructor(timeout_ms: number) {
    this.ends_at_ms = performance.now() + timeout_ms;
    this.#timer = setTimeout(
      () =>
        this.abort(
          new StoreError(
            "timeout",
            `The answer took longer than ${timeout_ms} ms. Ask for less, such as a shorter period.`,
          ),
        ),
      timeout_ms,
    );
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
