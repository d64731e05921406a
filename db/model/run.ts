/** A question's turn to run, in which its queries run one after the other. */

import { createPause } from "./pause.ts";

/** When a question ends at the latest. */
export interface Limit {
  /** Ends the question when it is aborted; its reason is what the question throws. */
  readonly signal: AbortSignal;
  /** When the time of the question is over, in milliseconds of `performance.now()`. */
  readonly ends_at_ms: number;
}

/**
 * The turn of one question: it holds one slot until it is disposed. Only
 * db/serving/slots.ts makes one, so that no query runs without a slot.
 */
export class Run implements Disposable {
  /** Ends the question when it is aborted; its reason is what the question throws. */
  readonly signal: AbortSignal;
  readonly #giveBack: () => void;
  #has_ended = false;
  #has_query = false;
  readonly #pause = createPause();

  /** `giveBack` is called once, when the turn is over. */
  constructor(signal: AbortSignal, giveBack: () => void) {
    this.signal = signal;
    this.#giveBack = giveBack;
  }

  /** Begins a query, which ends when the result is disposed. Throws when another one runs. */
  startQuery(): Disposable {
    this.signal.throwIfAborted();
    if (this.#has_ended || this.#has_query) {
      throw new Error("A query needs a turn of its question, alone in it");
    }
    this.#has_query = true;
    return { [Symbol.dispose]: () => void (this.#has_query = false) };
  }

  /**
   * Is awaited between two pieces of work of a millisecond or so: lets others be
   * answered now and then. Throws the signal's reason when that is aborted.
   */
  async pause(): Promise<void> {
    await this.#pause();
    this.signal.throwIfAborted();
  }

  [Symbol.dispose](): void {
    if (this.#has_ended) return;
    this.#has_ended = true;
    this.#giveBack();
  }
}
