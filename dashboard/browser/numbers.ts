/** Has the numbers of the page asked, and asked again when the data, the view or the key is another. */

/// <reference lib="dom" />

import {
  answeredOf,
  missingOf,
  withAnswer,
  withoutKey,
  withStale,
  withVersion,
} from "../state.ts";
import { connect, key, Lost, type Result } from "./api.ts";
import type { Question } from "../questions.ts";
import { state, update } from "./present.ts";

/** Questions at once: a browser has six connections, and one is the stream of events. */
const AT_ONCE = 3;

/** The server that is followed; null while nothing may be read. */
let tally = state.access === "locked" ? null : follow();

function follow() {
  return connect({
    async show(version) {
      if (state.data_version !== version) update(withVersion(state, version));
      await fill();
    },
    heard(event) {
      if (event === "version" && !state.is_lost) return;
      askState();
    },
  });
}

/** Asks one question, of the version that is shown. */
export function ask(
  question: Question,
  signal?: AbortSignal,
): Promise<Result> {
  return tally!.ask(question, signal);
}

/** Asks all that the view needs and that is not there. */
export function askMissing(): void {
  // The page says when the server is not reached; the stream says when it is again.
  fill().catch(() => {});
}

/** Asks for the state of the data again. */
export function askState(): void {
  update(withStale(state, "data"));
  askMissing();
}

/** Asks everything again, with the key that is given now. */
export function askAnew(): void {
  tally?.close();
  tally = follow();
  update(withVersion(state, state.data_version));
  askMissing();
}

/** Leaves nothing of what a key has read. */
export function lock(error: string): void {
  filling.abort();
  tally?.close();
  tally = null;
  key.forget();
  update(withoutKey(state, error));
}

let filling = new AbortController();

/** Asks all that is missing; a later call takes over. Throws `Lost` where the server is not reached. */
async function fill(): Promise<void> {
  filling.abort();
  filling = new AbortController();
  const { signal } = filling;
  try {
    for (
      let missing = missingOf(state);
      missing.length > 0 && !signal.aborted;
      missing = missingOf(state)
    ) {
      const rest = missing.values();
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        for (const [slot, question] of rest) {
          const result = await ask(question, signal);
          if (signal.aborted) return;
          if (result.status === 401) {
            return lock("This key is not known, or no longer.");
          }
          const came_at = performance.now();
          const answered = answeredOf(question, { ...result, came_at });
          update({ ...withAnswer(state, { slot, answered }), is_lost: false });
        }
      }));
    }
  } catch (error) {
    if (error instanceof Lost && !signal.aborted) update({ is_lost: true });
    throw error;
  }
}
