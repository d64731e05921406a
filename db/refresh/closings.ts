/** The snapshots that are no longer served and not yet closed. */

import { fault, type Log } from "../model/log.ts";

/** Waits for them; an error of one is logged, and concerns nobody else. */
export class Closings {
  readonly #log: Log;
  readonly #closing = new Set<Promise<void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Adds one that closes; resolves when it is closed. */
  add(closed: Promise<void>): Promise<void> {
    const closing = closed
      .catch((error) =>
        this.#log(
          fault(error, {
            event: "close_fault",
            text: "A version that is no longer served was not closed",
          }),
        )
      )
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  /** Resolves when all are closed. */
  async all(): Promise<void> {
    await Promise.all(this.#closing);
  }
}
