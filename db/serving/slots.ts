/** How many queries run at once and how many wait; more are refused at once. */

import { StoreError } from "../model/problems.ts";

/** The bounds, in queries. */
export interface SlotLimits {
  readonly concurrency: number;
  readonly queue: number;
}

/** Slots that queries take in the order they ask. */
export class QuerySlots {
  readonly #limits: SlotLimits;
  #taken = 0;
  // In the order of arrival; an aborted one takes itself out.
  readonly #waiting = new Set<() => void>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /**
   * Waits for a slot; disposing gives it back, once. Throws a StoreError "busy"
   * at once when the queue is full, and the signal's reason when it is aborted.
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#taken < this.#limits.concurrency) this.#taken++;
    else await this.#wait(signal);
    let given_back = false;
    return {
      [Symbol.dispose]: () => {
        if (given_back) return;
        given_back = true;
        this.#giveBack();
      },
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#limits.queue) {
      throw new StoreError(
        "busy",
        "Too many queries are running. Ask again in a moment.",
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const start = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = () => {
      this.#waiting.delete(start);
      reject(signal.reason);
    };
    this.#waiting.add(start);
    signal.addEventListener("abort", leave, { once: true });
    return promise;
  }

  // A slot goes straight to the one who waits longest: nobody gets between.
  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken--;
    else {
      this.#waiting.delete(next);
      next();
    }
  }
}
