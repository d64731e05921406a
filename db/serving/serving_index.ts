/** The serving index: everything about customers, one or all, from arrays and without a query. */

/** The columns of a serving index; `n` customers, `c` channels, `m` interactions. */
export interface IndexColumns {
  /** Length n: the number of every known customer, ascending; null where they are 1 to n. */
  readonly customer_ids: Float64Array | null;
  /** Length n: the kind of each customer; 0 has no record. */
  readonly kinds: Uint32Array;
  /**
   * Length n * c + 1: the slice of interactions of customer i on channel j starts
   * at `offsets[i * c + j]` and ends where the next slice starts.
   */
  readonly offsets: Uint32Array;
  /** Length m: the day number of each interaction, ascending within a slice. */
  readonly days: Uint16Array;
  /** Length m: the code of each interaction's topic set. */
  readonly topic_sets: Uint8Array | Uint16Array;
  /** By topic set code: its topic codes, ascending; `topic_count` alone where it has none. */
  readonly set_topics: readonly (readonly number[])[];
  readonly topic_count: number;
  readonly channel_count: number;
}

/** Which interactions count; day numbers, both included. */
export interface IndexFilter {
  readonly first_day: number;
  readonly last_day: number;
  /** By topic set code: 1 where such interactions count; undefined counts all. */
  readonly members: Uint8Array | undefined;
}

/**
 * The cells of a table that an interaction falls into: the sum of the numbers of its
 * customer's kind, its channel, its day and one of its topics. One below 0 does not
 * count.
 */
export interface Cells {
  readonly of_kind: Int32Array;
  readonly of_channel: Int32Array;
  /** By day number, all of them. */
  readonly of_day: Int32Array;
  /** The days that count, both included, where neither day nor topics tell interactions apart; else null. */
  readonly days:
    | {
      readonly first_day: number;
      readonly last_day: number;
      /** Whether these are all that there are. */
      readonly are_all: boolean;
    }
    | null;
  /** The numbers of all topic sets, one after the other; none where a set does not count. */
  readonly of_topic: Int32Array;
  /** By topic set code: where its numbers start, which end where the next ones start. */
  readonly topic_starts: Int32Array;
  /** What the interactions that fall into one cell have in common. */
  readonly alike: "customer" | "channel" | "none";
}

/** Interactions of nobody who is known, in groups of those that are alike: an element of each column is of one group. */
export interface AnonymousGroups {
  /** Day numbers. */
  readonly days: Uint16Array;
  readonly channels: Uint16Array;
  readonly topic_sets: Uint16Array;
  /** How many interactions a group has. */
  readonly rows: Uint32Array;
}

/** Customers that are counted by cell. */
export interface Reached {
  readonly counts: Uint32Array;
  /** Of the customer counted last in each cell, the place after it. */
  readonly seen: Uint32Array;
}

/** The interactions of a customer that count. */
export interface OwnFilter extends IndexFilter {
  /** By channel: the column that counts its interactions; below 0 where they do not count. */
  readonly column_of: readonly number[];
}

/** Day numbers of the first and the last one of interactions. */
export interface DaySpan {
  readonly first_day: number;
  readonly last_day: number;
}

/** Counts from columns that never change. A customer is named by its place among the known ones. */
export class ServingIndex {
  readonly #columns: IndexColumns;
  /** For each topic code, and for no topic, by topic set code: 1 where the set has it. */
  readonly #topic_members: readonly Uint8Array[];
  /** Where ids are numbered without gaps, as they often are: the first one. Null where they are not. */
  readonly #first_id: number | null;

  constructor(columns: IndexColumns) {
    this.#columns = columns;
    this.#topic_members = topicMembers(columns);
    this.#first_id = firstOfGapless(columns);
  }

  /** The place of a customer, or -1 when it is not known. */
  placeOf(customer_id: number): number {
    const first_id = this.#first_id;
    if (first_id === null) {
      return positionOf(this.#columns.customer_ids!, customer_id);
    }
    const place = customer_id - first_id;
    return place >= 0 && place < this.length ? place : -1;
  }

  /** The first place of a customer whose number is not below `customer_id`; the number of customers where there is none. */
  firstFrom(customer_id: number): number {
    const first_id = this.#first_id;
    if (first_id === null) {
      return firstFrom(this.#columns.customer_ids!, customer_id);
    }
    return Math.min(Math.max(0, customer_id - first_id), this.length);
  }

  /** The number of the customer at a place. */
  idAt(place: number): number {
    const first_id = this.#first_id;
    return first_id === null
      ? this.#columns.customer_ids![place]
      : first_id + place;
  }

  /** By topic set code: 1 where it has one of the topics. */
  membersOf(topic_codes: readonly number[]): Uint8Array {
    const topic_members = this.#topic_members;
    if (topic_codes.length === 1) return topic_members[topic_codes[0]];
    // There may be a thousand topics, and as many sets as 16 bits count.
    const is_asked = new Uint8Array(topic_members.length);
    for (const code of topic_codes) is_asked[code] = 1;
    const { set_topics } = this.#columns;
    const members = new Uint8Array(set_topics.length);
    set_topics.forEach((codes, set) => {
      if (codes.some((code) => is_asked[code])) members[set] = 1;
    });
    return members;
  }

  /** The codes of the topics of an interaction; one after the last for no topic. */
  topicsOf(interaction: number): readonly number[] {
    const { set_topics, topic_sets } = this.#columns;
    return set_topics[topic_sets[interaction]];
  }

  /** Interactions per channel. */
  count(place: number, filter: IndexFilter): number[] {
    const { offsets, channel_count } = this.#columns;
    const { first_day, last_day, members } = filter;
    const every_day = first_day <= 0 && last_day >= 0xffff;
    // Of its length at once: a list that grows takes memory for 16 more.
    const counts: number[] = Array(channel_count);
    let slice = place * channel_count;
    for (let channel = 0; channel < channel_count; channel++) {
      const start = offsets[slice++];
      const end = offsets[slice];
      counts[channel] = every_day && members === undefined
        ? end - start
        : this.#countFiltered(start, end, filter);
    }
    return counts;
  }

  /** The number of interactions. */
  sizeOf(place: number): number {
    const { offsets, channel_count } = this.#columns;
    const slice = place * channel_count;
    return offsets[slice + channel_count] - offsets[slice];
  }

  /**
   * Counts the interactions of each customer from a place on, as many customers as take
   * about a millisecond: `totals`, of TOTALS_AT_ONCE numbers, begins with that of the
   * first. Returns the place after the last one.
   */
  total(
    start: number,
    { filter, totals }: {
      readonly filter: OwnFilter;
      readonly totals: Uint32Array;
    },
  ): number {
    const { kinds, offsets, days, channel_count } = this.#columns;
    const { first_day, last_day, members, column_of } = filter;
    const every_day = first_day <= 0 && last_day >= 0xffff;
    const is_all = every_day && !members && column_of.every((one) => one >= 0);
    const stop = offsets[start * channel_count] + PIECE;
    const most = Math.min(kinds.length, start + PIECE / channel_count);
    let place = start;
    for (; place < most; place++) {
      let slice = place * channel_count;
      if (is_all) {
        totals[place - start] = offsets[slice + channel_count] - offsets[slice];
        continue;
      }
      if (offsets[slice] >= stop) break;
      let sum = 0;
      for (let channel = 0; channel < channel_count; channel++) {
        const first = offsets[slice++];
        const end = offsets[slice];
        if (first === end || column_of[channel] < 0) continue;
        sum += members
          ? this.#countFiltered(first, end, filter)
          : every_day
          ? end - first
          : daysWithin(days, filter, { start: first, end });
      }
      totals[place - start] = sum;
    }
    return place;
  }

  /** The number of customers. */
  get length(): number {
    return this.#columns.kinds.length;
  }

  /** By topic set code: its topics, its codes ascending; one after the last for no topic. */
  get set_topics(): readonly (readonly number[])[] {
    return this.#columns.set_topics;
  }

  /**
   * Counts customers from a place on, each once in a cell, as many as take about a
   * millisecond. Returns the place after the last one.
   */
  reach(
    start: number,
    { cells, reached: { counts, seen } }: {
      readonly cells: Cells;
      readonly reached: Reached;
    },
  ): number {
    const { kinds, offsets, days, topic_sets, channel_count } = this.#columns;
    const { of_kind, of_channel, of_day, of_topic, topic_starts, alike } =
      cells;
    const stop = offsets[start * channel_count] + PIECE;
    let place = start;
    const most = Math.min(kinds.length, start + PIECE / channel_count);
    for (; place < most; place++) {
      let slice = place * channel_count;
      if (offsets[slice] >= stop) break;
      const of_customer = of_kind[kinds[place]];
      if (of_customer < 0) continue;
      const customer = place + 1;
      slices: for (let channel = 0; channel < channel_count; channel++) {
        let i = offsets[slice++];
        if (of_channel[channel] < 0) continue;
        const base = of_customer + of_channel[channel];
        for (const end = offsets[slice]; i < end; i++) {
          const day = of_day[days[i]];
          const first = topic_starts[topic_sets[i]];
          const last = topic_starts[topic_sets[i] + 1];
          if (day < 0 || first === last) continue;
          for (let topic = first; topic < last; topic++) {
            const cell = base + day + of_topic[topic];
            if (seen[cell] === customer) continue;
            seen[cell] = customer;
            counts[cell]++;
          }
          if (alike === "customer") break slices;
          if (alike === "channel") break;
        }
      }
    }
    return place;
  }

  /**
   * Counts the interactions of customers from a place on in their cells, as many as
   * take about a millisecond. Returns the place after the last one.
   */
  tally(
    start: number,
    { cells, counts }: { readonly cells: Cells; readonly counts: Uint32Array },
  ): number {
    const { kinds, offsets, days, topic_sets, channel_count } = this.#columns;
    const { of_kind, of_channel, of_day, of_topic, topic_starts } = cells;
    const range = cells.days;
    const every_day = range?.are_all === true;
    const stop = offsets[start * channel_count] + PIECE;
    let place = start;
    const most = Math.min(kinds.length, start + PIECE / channel_count);
    for (; place < most; place++) {
      let slice = place * channel_count;
      if (!every_day && offsets[slice] >= stop) break;
      const of_customer = of_kind[kinds[place]];
      if (of_customer < 0) continue;
      for (let channel = 0; channel < channel_count; channel++) {
        const first = offsets[slice++];
        const end = offsets[slice];
        if (first === end || of_channel[channel] < 0) continue;
        const base = of_customer + of_channel[channel];
        if (range) {
          counts[base] += every_day
            ? end - first
            : daysWithin(days, range, { start: first, end });
          continue;
        }
        for (let i = first; i < end; i++) {
          const day = of_day[days[i]];
          if (day < 0) continue;
          const last = topic_starts[topic_sets[i] + 1];
          for (let topic = topic_starts[topic_sets[i]]; topic < last; topic++) {
            counts[base + day + of_topic[topic]]++;
          }
        }
      }
    }
    return place;
  }

  /** The kind of a customer. */
  kindOf(place: number): number {
    return this.#columns.kinds[place];
  }

  /** The days of the interactions that count, or of all; null without any. */
  spanOf(place: number, filter?: OwnFilter): DaySpan | null {
    const { offsets, days, topic_sets, channel_count } = this.#columns;
    let first_day = Infinity;
    let last_day = -Infinity;
    let slice = place * channel_count;
    for (let channel = 0; channel < channel_count; channel++) {
      let start = offsets[slice++];
      let end = offsets[slice];
      if (filter) {
        if (filter.column_of[channel] < 0) continue;
        const { members } = filter;
        const counts = (i: number) =>
          days[i] >= filter.first_day && days[i] <= filter.last_day &&
          (!members || members[topic_sets[i]] === 1);
        while (start < end && !counts(start)) start++;
        while (start < end && !counts(end - 1)) end--;
      }
      if (start === end) continue;
      first_day = Math.min(first_day, days[start]);
      last_day = Math.max(last_day, days[end - 1]);
    }
    return last_day < 0 ? null : { first_day, last_day };
  }

  /**
   * Visits the interactions that count, channel by channel, the days of each ascending;
   * `visitor` gets the column and the number of each.
   */
  visit(
    place: number,
    { filter: { first_day, last_day, members, column_of }, visitor }: {
      readonly filter: OwnFilter;
      visitor(column: number, interaction: number): void;
    },
  ): void {
    const { offsets, days, topic_sets, channel_count } = this.#columns;
    let slice = place * channel_count;
    for (let channel = 0; channel < channel_count; channel++) {
      let i = offsets[slice++];
      const column = column_of[channel];
      if (column < 0) continue;
      for (const end = offsets[slice]; i < end; i++) {
        if (days[i] < first_day) continue;
        if (days[i] > last_day) break;
        if (members && !members[topic_sets[i]]) continue;
        visitor(column, i);
      }
    }
  }

  /** The day number of an interaction. */
  dayOf(interaction: number): number {
    return this.#columns.days[interaction];
  }

  #countFiltered(
    start: number,
    end: number,
    { first_day, last_day, members }: IndexFilter,
  ): number {
    const { days, topic_sets } = this.#columns;
    if (members === undefined) {
      return daysWithin(days, { first_day, last_day }, { start, end });
    }
    if (end - start > SHORT_SLICE) {
      start = lowerBound(days, first_day, start, end);
      end = lowerBound(days, last_day + 1, start, end);
    }
    let count = 0;
    for (let i = start; i < end; i++) {
      if (days[i] < first_day || days[i] > last_day) continue;
      count += members[topic_sets[i]];
    }
    return count;
  }
}

/**
 * Counts groups of interactions from one on in their cells, as `tally` does those of
 * customers without a record. Returns the group after the last one.
 */
export function tallyAnonymous(
  { days, channels, topic_sets, rows }: AnonymousGroups,
  { start, cells, counts }: {
    readonly start: number;
    readonly cells: Cells;
    readonly counts: Uint32Array;
  },
): number {
  const { of_kind, of_channel, of_day, of_topic, topic_starts } = cells;
  if (of_kind[NO_RECORD] < 0) return rows.length;
  const end = Math.min(rows.length, start + PIECE);
  for (let i = start; i < end; i++) {
    const channel = of_channel[channels[i]];
    const day = of_day[days[i]];
    if (channel < 0 || day < 0) continue;
    const base = of_kind[NO_RECORD] + channel + day;
    const last = topic_starts[topic_sets[i] + 1];
    for (let topic = topic_starts[topic_sets[i]]; topic < last; topic++) {
      counts[base + of_topic[topic]] += rows[i];
    }
  }
  return end;
}

/** The kind of customers without a record. */
export const NO_RECORD = 0;
const SHORT_SLICE = 32;

/** How many days of a slice, which ascend, are within a period. */
function daysWithin(
  days: Uint16Array,
  { first_day, last_day }: Pick<IndexFilter, "first_day" | "last_day">,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  // A short slice fits one line of the processor's cache: to read it is faster than to search it.
  if (end - start > SHORT_SLICE) {
    return lowerBound(days, last_day + 1, start, end) -
      lowerBound(days, first_day, start, end);
  }
  // A day before the first one is a large number without its sign: one comparison,
  // which no branch predictor has to guess.
  const span = last_day - first_day;
  let count = 0;
  for (let i = start; i < end; i++) {
    count += Number((days[i] - first_day) >>> 0 <= span);
  }
  return count;
}

/** Interactions, and slices of them, that are read at once: a millisecond of work. */
const PIECE = 50_000;

/** Customers whose totals are counted at once, at most. */
export const TOTALS_AT_ONCE = PIECE;

function topicMembers({ set_topics, topic_count }: IndexColumns): Uint8Array[] {
  const members = Array.from(
    { length: topic_count + 1 },
    () => new Uint8Array(set_topics.length),
  );
  set_topics.forEach((codes, set) => {
    for (const code of codes) members[code][set] = 1;
  });
  return members;
}

/** The first id where the ids are numbered without gaps; null where they are not. */
function firstOfGapless(
  { customer_ids, kinds: { length } }: IndexColumns,
): number | null {
  // Texts are numbered by their places, from 1.
  if (customer_ids === null || length === 0) return 1;
  const first = customer_ids[0];
  return customer_ids[length - 1] - first === length - 1 ? first : null;
}

/** The position of `id` in ascending `ids`, or -1. */
function positionOf(ids: Float64Array, id: number): number {
  const position = firstFrom(ids, id);
  return ids[position] === id ? position : -1;
}

/** The first position in ascending `ids` whose id is not below `id`. */
function firstFrom(ids: Float64Array, id: number): number {
  let start = 0;
  let end = ids.length;
  while (start < end) {
    const middle = (start + end) >>> 1;
    if (ids[middle] < id) start = middle + 1;
    else end = middle;
  }
  return start;
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
