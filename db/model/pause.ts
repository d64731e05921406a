/** Lets others be answered while long work goes on, in the one thread that JavaScript has. */

import { setTimeout } from "node:timers/promises";

/**
 * After so many milliseconds of work others have their turn: whoever waits for it
 * does so for this long at most times as many as work at once.
 */
const WORK_MS = 8;

/** Makes what is awaited between two pieces of work, of a millisecond or so each. */
export function createPause(): () => Promise<void> {
  let resumed_at = performance.now();
  return async function pause() {
    if (performance.now() - resumed_at < WORK_MS) return;
    // Not setImmediate: after it Deno runs what is due, but asks the sockets only
    // every 61st time, so that requests waited for 0.3 to 1.2 s.
    await setTimeout(0);
    resumed_at = performance.now();
  };
}
