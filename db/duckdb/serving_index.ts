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
  /** Undefined: whatever the topic. */
  readonly topic_code: number | undefined;
}

/** Counts from columns that never change. */
export class ServingIndex {
  readonly #columns: IndexColumns;

  constructor(columns: IndexColumns) {
    this.#columns = columns;
  }

  /** Interactions per channel, or null when the customer is not known. */
  count(customer_id: number, filter: IndexFilter): Uint32Array | null {
    const { customer_ids, offsets, channel_count, days } = this.#columns;
    const customer = lowerBound(
      customer_ids,
      customer_id,
      0,
      customer_ids.length,
    );
    if (customer_ids[customer] !== customer_id) return null;

    const { first_day, last_day, topic_code } = filter;
    const all_days = first_day <= 0 && last_day >= 0xffff;
    const counts = new Uint32Array(channel_count);
    let slice = customer * channel_count;
    for (let channel = 0; channel < channel_count; channel++, slice++) {
      let start = offsets[slice];
      let end = offsets[slice + 1];
      if (!all_days) {
        start = lowerBound(days, first_day, start, end);
        end = lowerBound(days, last_day + 1, start, end);
      }
      counts[channel] = topic_code === undefined
        ? end - start
        : this.#countTopic(topic_code, start, end);
    }
    return counts;
  }

  #countTopic(topic_code: number, start: number, end: number): number {
    const { topic_sets, topic_members } = this.#columns;
    const members = topic_members[topic_code];
    let count = 0;
    for (let i = start; i < end; i++) count += members[topic_sets[i]];
    return count;
  }
}

/** The first position from `start` to `end` whose value is not below `value`. */
function lowerBound(
  values: Float64Array | Uint16Array,
  value: number,
  start: number,
  end: number,
): number {
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (values[middle] < value) start = middle + 1;
    else end = middle;
  }
  return start;
}
