/** Lets other requests be served during long work, in JavaScript's one thread. */

/** After this time of work, in milliseconds, other requests are served. */
const WORK_MS = 5;

// Of the thread and not of an application, as the event loop is.
const waiting: (() => void)[] = [];

/** Resumes the work that waits longest, and the next one when the event loop has turned. */
function resumeOne(): void {
  waiting.shift()!();
  if (waiting.length > 0) setTimeout(resumeOne, 0);
}

/** Resolves in a turn of the event loop in which no other work is resumed. */
function ownTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setTimeout(resumeOne, 0);
  });
}

/**
 * Makes the function that is awaited between two pieces of work of about a millisecond.
 * All works of the thread take turns, so that a request waits for one of them: when the
 * timers of four ended in one turn of the loop, it waited for four. It is a timer,
 * because Deno reads no request between two calls of setImmediate: beside a download of
 * 1,000 columns, others waited for 464 ms with setImmediate, and for 45 ms with a timer.
 */
export function createPause(): () => Promise<void> {
  let resumed_at = performance.now();
  return async function pause() {
    if (performance.now() - resumed_at < WORK_MS) return;
    await ownTurn();
    resumed_at = performance.now();
  };
}
