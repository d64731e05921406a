/** Decides after each look at the data folder whether its files are loaded now, soon or not at all. */

import { type Look, STEADY_MS } from "../intake/export_watch.ts";

/** What is remembered of earlier looks. Times are of `performance.now()`. */
export interface Looked {
  /** The identity of the look that was loaded last; null to load again. */
  readonly done: string | null;
  /** The identity that was seen last, and since when. */
  readonly seen: { readonly identity: string; readonly since: number } | null;
  /** When what was loaded last is loaded again. */
  readonly retry_at: number;
}

/** Nothing was looked at yet. */
export const NOT_LOOKED: Looked = {
  done: null,
  seen: null,
  retry_at: Infinity,
};

/**
 * What follows a look: "soon" is another look before its time, and "retry" a load of
 * what was loaded already, since that may succeed now.
 */
export type AfterLook = "load" | "retry" | "rest" | "soon";

/** What follows `look`, and what is to be remembered; a load changes that once more. */
export function afterLook(
  { done, seen, retry_at }: Looked,
  { look: { identity, waiting }, time }: {
    readonly look: Pick<Look, "identity" | "waiting">;
    readonly time: number;
  },
): { readonly looked: Looked; readonly then: AfterLook } {
  const now_seen = seen?.identity === identity ? seen : {
    identity,
    // Files that are there at the start need no second look.
    since: seen ? time : -Infinity,
  };
  const then = waiting.length > 0
    ? "soon"
    : done === identity
    ? time < retry_at ? "rest" : "retry"
    : time - now_seen.since < STEADY_MS
    ? "soon"
    : "load";
  return { looked: { done, seen: now_seen, retry_at }, then };
}
