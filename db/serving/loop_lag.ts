/** Measures how late the event loop is. */

import { median } from "./waiting.ts";

/** Between two measurements, in milliseconds. */
const EVERY_MS = 20;
/** The median is of so many. */
const KEPT = 9;
/** For how long, at least, the longest one is shown: longer than between two scrapes. */
const SHOWN_MS = 60_000;

/** The lag of the event loop; 0 before `start`. */
export class LoopLag {
  #latest_ms: number[] = [];
  #longest_ms = 0;
  #longest_before_ms = 0;

  /** The median of the last fifth of a second, in milliseconds. */
  get median_ms(): number {
    return median(this.#latest_ms) ?? 0;
  }

  /** The longest one of the last fifth of a second, in milliseconds. */
  get high_ms(): number {
    return Math.max(0, ...this.#latest_ms);
  }

  /** The longest one in the last one to two minutes, in milliseconds. */
  get longest_ms(): number {
    return Math.max(this.#longest_ms, this.#longest_before_ms);
  }

  /** Measures until `stopping` is aborted. */
  start(stopping: AbortSignal): void {
    let due = performance.now() + EVERY_MS;
    let turned = due;
    const timer = setInterval(() => {
      const now = performance.now();
      const lag_ms = Math.max(0, now - due);
      due = now + EVERY_MS;
      this.#latest_ms.push(lag_ms);
      if (this.#latest_ms.length > KEPT) this.#latest_ms.shift();
      this.#longest_ms = Math.max(this.#longest_ms, lag_ms);
      if (now - turned < SHOWN_MS) return;
      this.#longest_before_ms = this.#longest_ms;
      this.#longest_ms = 0;
      turned = now;
    }, EVERY_MS);
    stopping.addEventListener("abort", () => clearInterval(timer));
  }
}
