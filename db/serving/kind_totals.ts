/** How many customers each kind has, and how many interactions these have: whatever is counted by records alone is a sum of these. */

import { createPause } from "../model/pause.ts";
import type { ServingIndex } from "./serving_index.ts";

/** Counts by kind of customer. */
export interface KindTotals {
  readonly customers: Uint32Array;
  readonly interactions: Uint32Array;
}

/** Customers that are counted at once: a millisecond of work. */
const CUSTOMERS_AT_ONCE = 50_000;

/** Counts the customers of an index, of which there are so many kinds. */
export async function countKinds(
  index: ServingIndex,
  length: number,
): Promise<KindTotals> {
  const pause = createPause();
  const customers = new Uint32Array(length);
  const interactions = new Uint32Array(length);
  for (let place = 0; place < index.length; place++) {
    if (place % CUSTOMERS_AT_ONCE === 0) await pause();
    const kind = index.kindOf(place);
    customers[kind]++;
    interactions[kind] += index.sizeOf(place);
  }
  return { customers, interactions };
}
