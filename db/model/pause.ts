/** Lets other requests be served during long work, in JavaScript's one thread. */

/** After this time of work, in milliseconds, other requests are served. */
const WORK_MS = 5;

/** So many turns of the event loop are left to requests, while these keep coming, before work goes on. */
const MOST_TURNS = 10;

// Of the thread and not of an application, as the event loop is.
const waiting: (() => void)[] = [];
let has_request_come = false;
let turns_left = MOST_TURNS;

/**
 * Is called for each request that comes. Its answer takes two or three turns of the event
 * loop, and work waits for these.
 */
export function noteRequest(): void {
  has_request_come = true;
}

/** Resumes the work that waits longest, and the next one when the event loop has turned. */
function resumeOne(): void {
  if (has_request_come && turns_left > 0) turns_left--;
  else {
    turns_left = MOST_TURNS;
    waiting.shift()!();
  }
  has_request_come = false;
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
