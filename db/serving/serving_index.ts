/** The serving index: counts one customer's interactions per channel, from arrays and without a query. */

/** The columns of a serving index; `n` customers, `c` channels, `m` interactions. */
export interface IndexColumns {
  /** Length n: every known customer_id, ascending. */
  readonly customer_ids: Float64Array;
  /**
   * Length n * c + 1: the slice of interactions of customer i on channel j starts
   * at `offsets[i * c + j]` and ends where the next slice starts.
   */
  readonly offsets: Uint32Array;
  /** Length m: the day number of each interaction, ascending within a slice. */
  readonly days: Uint16Array;
  /** Length m: the code of each interaction's topic set. */
  readonly topic_sets: Uint8Array | Uint16Array;
  /** For each topic code, by topic set code: 1 where the set holds the topic. */
  readonly topic_members: readonly Uint8Array[];
  readonly channel_count: number;
}

/** Which interactions count; day numbers, both included. */
export interface IndexFilter {
  readonly first_day: number;
  readonly last_day: number;
  /** Undefined counts every topic. */
  readonly topic_code: number | undefined;
}

/** Counts from columns that never change. */
export class ServingIndex {
  readonly #columns: IndexColumns;

  constructor(columns: IndexColumns) {
    this.#columns = columns;
  }

  /** Interactions per channel, or null when the customer is not known. */
  count(customer_id: number, filter: IndexFilter): number[] | null {
    const { customer_ids, offsets, channel_count } = this.#columns;
    const customer = positionOf(customer_ids, customer_id);
    if (customer < 0) return null;

    const { first_day, last_day, topic_code } = filter;
    const every_day = first_day <= 0 && last_day >= 0xffff;
    const counts: number[] = [];
    let slice = customer * channel_count;
    for (let channel = 0; channel < channel_count; channel++, slice++) {
      const start = offsets[slice];
      const end = offsets[slice + 1];
      counts.push(
        every_day && topic_code === undefined
          ? end - start
          : this.#countFiltered(start, end, filter),
      );
    }
    return counts;
  }

  #countFiltered(
    start: number,
    end: number,
    { first_day, last_day, topic_code }: IndexFilter,
  ): number {
    const { days, topic_sets, topic_members } = this.#columns;
    // A short slice fits one line of the processor's cache: to read it is faster than to search it.
    if (end - start > SHORT_SLICE) {
      start = lowerBound(days, first_day, start, end);
      end = lowerBound(days, last_day + 1, start, end);
      if (topic_code === undefined) return end - start;
    }
    const members = topic_code === undefined
      ? undefined
      : topic_members[topic_code];
    let count = 0;
    for (let i = start; i < end; i++) {
      if (days[i] < first_day || days[i] > last_day) continue;
      count += members ? members[topic_sets[i]] : 1;
    }
    return count;
  }
}

const SHORT_SLICE = 32;

/** The position of `id` in ascending `ids`, or -1. */
function positionOf(ids: Float64Array, id: number): number {
  let start = 0;
  let end = ids.length;
  // Ids are often numbered without gaps; then this guess is right, without a search.
  const guess = id - ids[0];
  if (ids[guess] === id) return guess;
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (ids[middle] < id) start = middle + 1;
    else end = middle;
  }
  return ids[start] === id ? start : -1;
}

/** The first position from `start` to `end` whose day is not before `day`. */
function lowerBound(
  days: Uint16Array,
  day: number,
  start: number,
  end: number,
): number {
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (days[middle] < day) start = middle + 1;
    else end = middle;
  }
  return start;
}
