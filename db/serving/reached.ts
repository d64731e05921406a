/** Counts the customers reached from the serving index: one pass over its interactions, which are sorted by customer. */

import type { ReachedQuestion, Rows } from "../model/questions.ts";
import type { Run } from "../model/run.ts";
import { cellsOf, groupsOf, rowsOf, type Source } from "./groups.ts";
import type { Reached } from "./serving_index.ts";

/**
 * The rows that answer `question`, as the query answers it; null where it takes a
 * query, because there would be too many groups.
 */
export function reachedRows(
  source: Source,
  { question, run }: { readonly question: ReachedQuestion; readonly run: Run },
): Pick<Rows, "batches" | "count"> | null {
  const groups = groupsOf(source, question);
  if (!groups) return null;
  const { axes, length } = groups;

  async function countIn(filter: ReachedQuestion["filter"]) {
    const cells = await cellsOf(source, { axes, filter, run });
    const reached: Reached = {
      counts: new Uint32Array(length),
      seen: new Uint32Array(length),
    };
    const { index } = source;
    for (let place = 0; place < index.length;) {
      place = index.reach(place, { cells, reached });
      await run.pause();
    }
    return reached.counts;
  }

  return rowsOf(groups, { ...question, run, countIn });
}
