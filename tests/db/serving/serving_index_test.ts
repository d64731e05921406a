/** The serving index alone: counts from arrays, against counting one by one. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type IndexFilter,
  ServingIndex,
} from "../../../db/serving/serving_index.ts";

/** An interaction: positions of its customer and channel, its day and topic set. */
interface Entry {
  customer: number;
  channel: number;
  day: number;
  topic_set: number;
}

/** A filter with topics in place of the sets that have them. */
type AskedFilter = Partial<Omit<IndexFilter, "members">> & {
  topic_codes?: number[];
};

interface Data {
  customer_ids: readonly number[];
  channel_count: number;
  /** The topic codes of each set. */
  topic_sets: readonly (readonly number[])[];
  topic_count: number;
  entries: readonly Entry[];
}

/** Whether a set has a topic; the one after the last stands for none. */
function hasTopic(
  set: readonly number[],
  { topic, topic_count }: { topic: number; topic_count: number },
): boolean {
  return topic === topic_count ? set.length === 0 : set.includes(topic);
}

/** An index of `data`, its entries sorted as the index wants them. */
function indexOf(data: Data): ServingIndex {
  const { customer_ids, channel_count, topic_sets, topic_count } = data;
  const slice = ({ customer, channel }: Entry) =>
    customer * channel_count + channel;
  const sorted = data.entries.toSorted((a, b) =>
    slice(a) - slice(b) || a.day - b.day
  );
  const slices = customer_ids.length * channel_count;
  return new ServingIndex({
    customer_ids: Float64Array.from(customer_ids),
    kinds: new Uint32Array(customer_ids.length),
    offsets: Uint32Array.from(
      { length: slices + 1 },
      (_, i) => sorted.filter((entry) => slice(entry) < i).length,
    ),
    days: Uint16Array.from(sorted, ({ day }) => day),
    topic_sets: Uint8Array.from(sorted, ({ topic_set }) => topic_set),
    set_topics: topic_sets.map((set) => set.length > 0 ? set : [topic_count]),
    topic_count,
    channel_count,
  });
}

/** What the index must answer, counted one by one. */
function countOneByOne(
  data: Data,
  customer_id: number,
  { first_day = 0, last_day = 65_535, topic_codes }: AskedFilter,
): number[] | null {
  const customer = data.customer_ids.indexOf(customer_id);
  if (customer < 0) return null;
  const counts = Array<number>(data.channel_count).fill(0);
  for (const entry of data.entries) {
    if (entry.customer !== customer) continue;
    if (entry.day < first_day || entry.day > last_day) continue;
    const topics = data.topic_sets[entry.topic_set];
    const { topic_count } = data;
    const is_asked = (topic: number) =>
      hasTopic(topics, { topic, topic_count });
    if (topic_codes && !topic_codes.some(is_asked)) continue;
    counts[entry.channel]++;
  }
  return counts;
}

const count = (
  index: ServingIndex,
  customer_id: number,
  { topic_codes, ...period }: AskedFilter = {},
) => {
  const place = index.placeOf(customer_id);
  if (place < 0) return null;
  return index.count(place, {
    first_day: 0,
    last_day: 65_535,
    members: topic_codes && index.membersOf(topic_codes),
    ...period,
  });
};

Deno.test("ServingIndex.count, a small index", async (t) => {
  const index = indexOf({
    customer_ids: [1, 4, 7, Number.MAX_SAFE_INTEGER],
    channel_count: 2,
    topic_sets: [[], [0], [0, 1]],
    topic_count: 3,
    entries: [
      { customer: 0, channel: 0, day: 0, topic_set: 0 },
      { customer: 0, channel: 0, day: 10, topic_set: 1 },
      { customer: 0, channel: 0, day: 10, topic_set: 2 },
      { customer: 0, channel: 1, day: 65_535, topic_set: 2 },
      { customer: 1, channel: 1, day: 10, topic_set: 0 },
      { customer: 3, channel: 0, day: 20, topic_set: 1 },
    ],
  });
  const cases: [
    name: string,
    customer_id: number,
    filter: AskedFilter,
    counts: number[] | null,
  ][] = [
    ["everything", 1, {}, [3, 1]],
    ["the next customer", 4, {}, [0, 1]],
    ["a silent customer", 7, {}, [0, 0]],
    ["the largest id", Number.MAX_SAFE_INTEGER, {}, [1, 0]],
    ["below every id", 0, {}, null],
    ["between ids", 3, {}, null],
    ["one below the largest", Number.MAX_SAFE_INTEGER - 1, {}, null],
    ["above every id", Infinity, {}, null],
    ["not a number", NaN, {}, null],
    ["from a day, included", 1, { first_day: 10 }, [2, 1]],
    ["from the day after", 1, { first_day: 11 }, [0, 1]],
    ["to a day, included", 1, { last_day: 10 }, [3, 0]],
    ["to the day before", 1, { last_day: 9 }, [1, 0]],
    ["one day", 1, { first_day: 10, last_day: 10 }, [2, 0]],
    ["the first day", 1, { first_day: 0, last_day: 0 }, [1, 0]],
    ["the last day", 1, { first_day: 65_535, last_day: 65_535 }, [0, 1]],
    ["before all days", 1, { first_day: -1, last_day: -1 }, [0, 0]],
    ["from before all days", 1, { first_day: -1, last_day: 65_535 }, [3, 1]],
    ["a period that ends before it starts", 1, {
      first_day: 11,
      last_day: 9,
    }, [0, 0]],
    ["a topic", 1, { topic_codes: [0] }, [2, 1]],
    ["a topic of one set", 1, { topic_codes: [1] }, [1, 1]],
    ["a topic of no set", 1, { topic_codes: [2] }, [0, 0]],
    ["a topic on a day", 1, {
      topic_codes: [0],
      first_day: 10,
      last_day: 10,
    }, [2, 0]],
    ["no topic", 1, { topic_codes: [3] }, [1, 0]],
    ["two topics, each interaction once", 1, { topic_codes: [0, 1] }, [2, 1]],
    ["a topic or none", 1, { topic_codes: [1, 3] }, [2, 1]],
    ["a topic of another customer", 4, { topic_codes: [0] }, [0, 0]],
  ];
  for (const [name, customer_id, filter, counts] of cases) {
    await t.step(name, () => {
      assertEquals(count(index, customer_id, filter), counts);
    });
  }
});

Deno.test("ServingIndex.count, next to nothing in it", async (t) => {
  const nothing = {
    customer_ids: [],
    channel_count: 0,
    topic_sets: [[]],
    topic_count: 0,
    entries: [],
  };
  await t.step("no customers", () => {
    assertEquals(count(indexOf(nothing), 1), null);
  });
  await t.step("no channels", () => {
    assertEquals(count(indexOf({ ...nothing, customer_ids: [1] }), 1), []);
  });
});

Deno.test("ServingIndex.placeOf, customers numbered from 1", () => {
  const index = new ServingIndex({
    customer_ids: null,
    kinds: new Uint32Array(3),
    offsets: new Uint32Array(4),
    days: new Uint16Array(),
    topic_sets: new Uint8Array(),
    set_topics: [[0]],
    topic_count: 0,
    channel_count: 1,
  });
  const numbers = [1, 3, 0, -1, 4, NaN, Infinity];
  assertEquals(
    numbers.map((number) => index.placeOf(number)),
    [0, 2, -1, -1, -1, -1, -1],
  );
});

Deno.test("ServingIndex.placeOf, ids without gaps that begin later", () => {
  const index = indexOf({
    customer_ids: [5, 6, 7],
    channel_count: 0,
    topic_sets: [[]],
    topic_count: 0,
    entries: [],
  });
  const numbers = [5, 7, 4, 8, 1, 0, -1, NaN, Infinity];
  assertEquals(
    numbers.map((number) => index.placeOf(number)),
    [0, 2, -1, -1, -1, -1, -1, -1, -1],
  );
});

Deno.test("ServingIndex.count, an answer: the caller's own", () => {
  const index = indexOf({
    customer_ids: [1],
    channel_count: 1,
    topic_sets: [[]],
    topic_count: 0,
    entries: [{ customer: 0, channel: 0, day: 5, topic_set: 0 }],
  });
  const all = { first_day: 0, last_day: 65_535, members: undefined };
  const answer = index.count(0, all);
  answer[0] = 99;
  assertEquals(count(index, 1), [1]);
});

Deno.test("ServingIndex.count, random data and filters: as counted one by one", () => {
  const days = fc.oneof(fc.nat(6), fc.integer({ min: 65_530, max: 65_535 }));
  const data: fc.Arbitrary<Data> = fc.record({
    customer_ids: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), {
      minLength: 1,
      maxLength: 5,
    }).map((ids) => ids.toSorted((a, b) => a - b)),
    channel_count: fc.integer({ min: 1, max: 4 }),
    topic_sets: fc.constant([[], [0], [1], [0, 1], [2]]),
    topic_count: fc.constant(3),
  }).chain((shape) => {
    const entry = fc.record({
      customer: fc.nat(shape.customer_ids.length - 1),
      channel: fc.nat(shape.channel_count - 1),
      day: days,
      topic_set: fc.nat(shape.topic_sets.length - 1),
    });
    return fc.array(entry, { maxLength: 40 })
      .map((entries) => ({ ...shape, entries }));
  });
  const filters = fc.array(
    fc.record({
      customer_id: fc.integer({ min: 0, max: 13 }),
      first_day: fc.oneof(fc.constant(-1), days),
      last_day: fc.oneof(fc.constant(-1), days),
      topic_codes: fc.option(
        fc.uniqueArray(fc.nat(3), { minLength: 1 }),
        { nil: undefined },
      ),
    }),
    { minLength: 5, maxLength: 20 },
  );
  fc.assert(
    fc.property(data, filters, (data, filters) => {
      const index = indexOf(data);
      for (const { customer_id, ...filter } of filters) {
        assertEquals(
          count(index, customer_id, filter),
          countOneByOne(data, customer_id, filter),
        );
      }
    }),
    { numRuns: 500 },
  );
});
