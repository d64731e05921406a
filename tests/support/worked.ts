/** How much this thread does, however busy the machine is. */

import process from "node:process";

/**
 * How long this thread has worked, in milliseconds, in steps of ten: its time on
 * a core, so that what other processes do does not count.
 */
export function worked(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Does something, and measures for how long, of the time it worked, nothing else could be done. */
export async function longestHold(
  action: () => Promise<void>,
): Promise<number> {
  let last = worked();
  let hold_ms = 0;
  const look = () => {
    const now = worked();
    hold_ms = Math.max(hold_ms, now - last);
    last = now;
  };
  const timer = setInterval(look, 5);
  try {
    await action();
    look();
    return hold_ms;
  } finally {
    clearInterval(timer);
  }
}
