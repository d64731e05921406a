/** The turn of a question: it holds one slot, and its queries run one after the other. */

import { createPause } from "./pause.ts";

/** The end of a question: a deadline, or an abort before it. */
export interface Limit {
  /** When it is aborted, the question ends and throws its reason. */
  readonly signal: AbortSignal;
  /** The deadline, in milliseconds of `performance.now()`. */
  readonly ends_at_ms: number;
  /** Is called when the question has its slot, with the milliseconds it waited for it. */
  begin?(waited_ms: number): void;
}

/**
 * The turn of one question: it holds one slot until it is disposed. Only
 * db/serving/slots.ts makes one, so that no query runs without a slot.
 */
export class Run implements Disposable {
  /** When it is aborted, the question ends and throws its reason. */
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

  /** Begins a query, which ends when the result is disposed. Throws when another query runs. */
  startQuery(): Disposable {
    this.signal.throwIfAborted();
    if (this.#has_ended || this.#has_query) {
      throw new Error("A query needs a turn of its question, alone in it");
    }
    this.#has_query = true;
    return { [Symbol.dispose]: () => void (this.#has_query = false) };
  }

  /**
   * Awaited between two pieces of work of about a millisecond, so that other requests
   * are answered now and then. Throws the signal's reason when that is aborted.
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
