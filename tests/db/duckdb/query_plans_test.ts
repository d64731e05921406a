/** Questions on random data: whatever the grouping, the numbers of an independent loop. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Dimension, DIMENSIONS } from "../../../db/model/dimensions.ts";
import type {
  Cell,
  Filter,
  Question,
  Rows,
} from "../../../db/model/questions.ts";
import type { Snapshot } from "../../../db/store.ts";
import { csv, type Files } from "../../support/data_folder.ts";
import { countsOf, loadFolder } from "../../support/load_folder.ts";
import { turn } from "../../support/turn.ts";

const run = await turn();

interface Customer {
  readonly id: number;
  readonly type: string | null;
  readonly occupation: string | null;
}

interface Interaction {
  readonly customer_id: number;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly channel: string;
  /** Its own topics; those of the month when there are none. */
  readonly own_topics: readonly string[];
}

interface Data {
  readonly customers: readonly Customer[];
  readonly interactions: readonly Interaction[];
  /** Topics by month, `YYYY-MM`. */
  readonly months: Readonly<Record<string, readonly string[]>>;
}

const CHANNELS = ["10", "__proto__", "total"];
const TOPICS = ["Sand", "Wood", 'a "b", c'];
const TYPES = ["Blue", "Red"];
const OCCUPATIONS = ["Baker", "Jedi, retired"];
const MONTHS = ["2019-12", "2020-01", "2020-02"];

const day = fc.constantFrom(
  "2019-12-30",
  "2019-12-31",
  "2020-01-01",
  "2020-01-06",
  "2020-02-28",
  "2020-02-29",
  "2020-03-01",
);
const some = <Value>(values: readonly Value[]) =>
  fc.subarray([...values], { minLength: 1 });
const optional = <Value>(value: fc.Arbitrary<Value>) =>
  fc.option(value, { nil: undefined });

const data: fc.Arbitrary<Data> = fc.record({
  customers: fc.uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 6 }),
      type: fc.constantFrom(null, ...TYPES),
      occupation: fc.constantFrom(null, ...OCCUPATIONS),
    }),
    { selector: ({ id }) => id, maxLength: 6 },
  ),
  interactions: fc.array(
    fc.record({
      customer_id: fc.integer({ min: 1, max: 8 }),
      date: day,
      channel: fc.constantFrom(...CHANNELS),
      own_topics: fc.oneof(fc.constant([]), fc.subarray(TOPICS)),
    }),
    { maxLength: 40 },
  ),
  months: fc.record({
    [MONTHS[0]]: fc.subarray(TOPICS),
    [MONTHS[1]]: fc.subarray(TOPICS),
    [MONTHS[2]]: fc.subarray(TOPICS),
  }),
});

const filters: fc.Arbitrary<Filter> = fc.record({
  period: optional(fc.tuple(day, day).map((days) => days.sort())),
  channels: optional(some(CHANNELS)),
  topics: optional(some([...TOPICS, null])),
  types: optional(some([...TYPES, null])),
  occupations: optional(some([...OCCUPATIONS, null])),
  customer_ids: optional(some([1, 2, 3, 7, 9])),
}).map(({ period, ...names }) => ({
  ...period && { start_date: period[0], end_date: period[1] },
  ...Object.fromEntries(
    Object.entries(names).filter(([, value]) => value !== undefined),
  ),
}));

const PIVOTS = ["channel", "topic", "type", "weekday"] as const;

const grouping = fc.record({
  by: fc.subarray([...DIMENSIONS], { maxLength: 3 }),
  pivot: optional(fc.constantFrom(...PIVOTS)),
}).map(({ by, pivot }) => ({
  by: by.filter((name) => name !== pivot),
  pivot,
}));

function filesOf({ customers, interactions, months }: Data): Files {
  return {
    "customers.csv": csv(
      ["Customer_Id", "Occupation", "Type"],
      ...customers.map(({ id, type, occupation }) => [
        String(id),
        occupation ?? "",
        type ?? "",
      ]),
    ),
    "interactions.csv": csv(
      ["Date Start", "Interaction", "Customers", "Topic"],
      ...interactions.map(({ customer_id, date, channel, own_topics }) => [
        date,
        channel,
        String(customer_id),
        own_topics.join(";"),
      ]),
    ),
    "products.csv": csv(
      ["Date", "Product"],
      ...Object.entries(months).flatMap(([month, topics]) =>
        topics.map((topic) => [month, topic])
      ),
    ),
    "channels.csv": csv(["Channel"], ...CHANNELS.map((name) => [name])),
  };
}

/** An interaction as a group sees it: with topic, one for each topic it has. */
interface Fact {
  readonly values: Readonly<Record<Exclude<Dimension, "topic">, Cell>>;
  readonly topics: readonly (string | null)[];
}

function factsOf({ customers, interactions, months }: Data): Fact[] {
  return interactions.map(({ customer_id, date, channel, own_topics }) => {
    const customer = customers.find(({ id }) => id === customer_id);
    const topics = own_topics.length
      ? own_topics
      : months[date.slice(0, 7)] ?? [];
    const moment = Temporal.PlainDate.from(date);
    return {
      topics: topics.length ? topics : [null],
      values: {
        channel,
        customer_id,
        type: customer?.type ?? null,
        occupation: customer?.occupation ?? null,
        day: date,
        week: `${moment.yearOfWeek}-W${
          String(moment.weekOfYear).padStart(2, "0")
        }`,
        month: date.slice(0, 7),
        quarter: `${moment.year}-Q${Math.ceil(moment.month / 3)}`,
        year: String(moment.year),
        weekday: moment.dayOfWeek,
      },
    };
  });
}

function matches({ values, topics }: Fact, filter: Filter): boolean {
  const within = (list: readonly Cell[] | undefined, value: Cell) =>
    !list || list.includes(value);
  return (!filter.start_date || values.day! >= filter.start_date) &&
    (!filter.end_date || values.day! <= filter.end_date) &&
    within(filter.channels, values.channel) &&
    within(filter.types, values.type) &&
    within(filter.occupations, values.occupation) &&
    within(filter.customer_ids, values.customer_id) &&
    topics.some((topic) => within(filter.topics, topic));
}

/** The groups that `facts` fall into, by the text of their values. */
function groupsOf(
  facts: readonly Fact[],
  by: readonly Dimension[],
  filter: Filter,
): Map<string, Fact[]> {
  const groups = new Map<string, Fact[]>();
  for (const fact of facts) {
    const topics = by.includes("topic")
      ? fact.topics.filter((one) => filter.topics?.includes(one) ?? true)
      : [null];
    for (const topic of topics) {
      const key = JSON.stringify(
        by.map((name) => name === "topic" ? topic : fact.values[name]),
      );
      groups.set(key, [...groups.get(key) ?? [], fact]);
    }
  }
  return groups;
}

async function read({ batches }: Rows): Promise<Cell[][]> {
  const rows: Cell[][] = [];
  for await (const batch of batches) {
    rows.push(...batch.map((row) => [...row]));
  }
  return rows;
}

async function ask(snapshot: Snapshot, question: Question): Promise<Cell[][]> {
  using run = await turn();
  return await read(snapshot.ask(question, run));
}

const sum = (numbers: readonly Cell[]) =>
  numbers.reduce<number>((total, one) => total + (one as number), 0);

async function checkMetrics(
  snapshot: Snapshot,
  facts: readonly Fact[],
  filter: Filter,
  { by, pivot }: { by: readonly Dimension[]; pivot?: typeof PIVOTS[number] },
): Promise<void> {
  const counted = facts.filter((fact) => matches(fact, filter));
  const groups = groupsOf(counted, by, filter);
  const label = JSON.stringify({ by, pivot, filter });

  const long = await ask(snapshot, { kind: "metrics", by, filter });
  const expected = by.length || groups.size ? groups : new Map([["[]", []]]);
  assertEquals(
    new Map(long.map((row) => [JSON.stringify(row.slice(0, -1)), row.at(-1)])),
    new Map([...expected].map(([key, facts]) => [key, facts.length])),
    label,
  );
  assertEquals(long.length, expected.size, `${label}: a group comes twice`);
  if (!by.includes("topic")) {
    assertEquals(sum(long.map((row) => row.at(-1)!)), counted.length, label);
  }

  if (!pivot) return;
  const rows = snapshot.ask({ kind: "metrics", by, pivot, filter }, run);
  const { start, names } = rows.pivoted!;
  const wide = await read(rows);
  assertEquals(wide.length, expected.size, label);
  for (const row of wide) {
    const group = expected.get(JSON.stringify(row.slice(0, start)))!;
    assertEquals(row.at(-1), group.length, `${label}: total`);
    for (const [i, name] of names.entries()) {
      const among = (fact: Fact) =>
        pivot === "topic"
          ? fact.topics.map(String).includes(name)
          : String(fact.values[pivot]) === name;
      assertEquals(row[start + i], group.filter(among).length, label);
    }
    if (pivot !== "topic") {
      assertEquals(sum(row.slice(start, -1)), row.at(-1), label);
    }
  }
}

async function checkCustomers(
  snapshot: Snapshot,
  facts: readonly Fact[],
  data: Data,
  filter: Filter,
): Promise<void> {
  const { types, occupations, customer_ids, ...own } = filter;
  const rows = await ask(snapshot, {
    kind: "interactions",
    filter,
    sort: { by: "customer_id", descending: false },
  });
  const known = new Set([
    ...data.customers.map(({ id }) => id),
    ...data.interactions.map(({ customer_id }) => customer_id),
  ]);
  const chosen = [...known].sort((a, b) => a - b).filter((id) => {
    const customer = data.customers.find((one) => one.id === id);
    return (!types || types.includes(customer?.type ?? null)) &&
      (!occupations || occupations.includes(customer?.occupation ?? null)) &&
      (!customer_ids || customer_ids.includes(id));
  });
  assertEquals(rows.map(([id]) => id), chosen);
  const channels = CHANNELS.filter((name) =>
    filter.channels?.includes(name) ?? true
  );
  for (const [customer_id, , , ...counts] of rows) {
    const mine = facts.filter((fact) =>
      fact.values.customer_id === customer_id && matches(fact, own)
    );
    assertEquals(counts, [
      ...channels.map((name) =>
        mine.filter(({ values }) => values.channel === name).length
      ),
      mine.length,
    ]);
  }

  const [customer_id] = rows[0] ?? [];
  if (typeof customer_id !== "number") return;
  const total = rows[0].at(-1);
  for (const interval of ["day", "week", "month", "quarter", "year"] as const) {
    const periods = await ask(snapshot, {
      kind: "timeline",
      customer_id,
      interval,
      filter: own,
    });
    assertEquals(sum(periods.map((row) => row.at(-1)!)), total);
    assertEquals(
      periods.map(([period]) => period),
      [
        ...new Set(periods.map(([period]) => period)),
      ].sort(),
    );
  }
  const topics = await ask(snapshot, {
    kind: "topics",
    customer_id,
    filter: own,
  });
  const mine = facts.filter((fact) =>
    fact.values.customer_id === customer_id && matches(fact, own)
  );
  assertEquals(
    new Map(topics.map((row) => [JSON.stringify([row[0]]), row.at(-1)])),
    new Map(
      [...groupsOf(mine, ["topic"], own)].map((
        [key, facts],
      ) => [key, facts.length]),
    ),
  );
}

// What the website's endpoint answers.
async function checkEndpoint(
  snapshot: Snapshot,
  { start_date, end_date, topics }: Filter,
): Promise<void> {
  const filter = {
    ...start_date && { start_date, end_date },
    ...topics && { topics },
  };
  const rows = await ask(snapshot, {
    kind: "interactions",
    filter,
    sort: { by: "total", descending: true },
  });
  for (const [customer_id, , , ...counts] of rows) {
    const own = await countsOf(snapshot, {
      customer_id: customer_id as number,
      ...filter,
    });
    const by_name = new Map(Object.entries(own!));
    assertEquals(
      counts.slice(0, -1),
      snapshot.channels.map((name) => by_name.get(name)),
    );
  }
}

Deno.test("random data and filters: pivot = long form = a count by a loop", async () => {
  await fc.assert(
    fc.asyncProperty(
      data,
      fc.array(fc.tuple(filters, grouping), { minLength: 6, maxLength: 10 }),
      async (data, questions) => {
        await using opened = await loadFolder(filesOf(data), {
          MAX_SET_ASIDE: "0",
        });
        const { snapshot } = opened;
        const facts = factsOf(data);
        assertEquals(snapshot.report.interactions, facts.length);
        for (const [filter, grouping] of questions) {
          const known = knownOf(snapshot, filter);
          await checkMetrics(snapshot, facts, known, grouping);
          await checkCustomers(snapshot, facts, data, known);
          await checkEndpoint(snapshot, known);
        }
      },
    ),
    { numRuns: 12 },
  );
});

/** The filter with the names that the data has: the routes refuse others. */
function knownOf(snapshot: Snapshot, filter: Filter): Filter {
  const keep = <Value>(
    list: readonly Value[] | undefined,
    known: readonly string[],
  ) => {
    const kept = list?.filter((name) =>
      name === null || known.includes(name as string)
    );
    return kept?.length ? kept : undefined;
  };
  return {
    ...filter,
    topics: keep(filter.topics, snapshot.topics),
    types: keep(filter.types, snapshot.names.type!),
    occupations: keep(filter.occupations, snapshot.names.occupation!),
  };
}

// A single wrong year makes a long range of days, which does not count.
for (
  const [days, types, rolled_up] of [
    [3, 1, ["occupation", "type"]],
    [1_000, 1, ["type"]],
    [2_000, 100, []],
  ] as const
) {
  Deno.test(`100 occupations and ${types} types on ${days} days: rolled up by ${rolled_up.join(" and ") || "none"}, with equal answers`, async () => {
    const ids = Array.from({ length: 100 }, (_, i) => i + 1);
    const day = (i: number) =>
      new Date(Date.UTC(2020, 0, 1 + i)).toISOString().slice(0, 10);
    const typeOf = (id: number) => id === 2 ? "" : `t${id % types}`;
    await using opened = await loadFolder({
      "customers.csv": csv(
        ["Customer_Id", "Occupation", "Type"],
        ...ids.map((id) => [`${id}`, `o${id}`, typeOf(id)]),
      ),
      "interactions.csv": csv(
        ["Date Start", "Interaction", "Customers"],
        ...ids.map((id) => ["2020-01-01", "Bird", `${id}`]),
        ["1970-01-01", "Call", "1"],
        ...Array.from({ length: days - 2 }, (_, i) => [day(i), "Call", "1"]),
      ),
    });
    const { snapshot } = opened;
    const question = {
      kind: "metrics",
      by: ["occupation", "type"],
      pivot: "channel",
      filter: { occupations: ["o1", "o2"] },
    } as const;
    assertEquals(await ask(snapshot, question), [
      ["o1", typeOf(1), 1, days - 1, days],
      ["o2", null, 1, 0, 1],
    ]);
    const { text } = await snapshot.explain(question);
    assertEquals(
      text.includes("daily_by_record"),
      rolled_up.length === 2,
    );
    assertEquals(
      snapshot.dimensions.filter(({ of_customers, rollups }) =>
        of_customers && rollups.length > 0
      ).map(({ name }) => name).sort(),
      [...rolled_up],
    );
  });
}

Deno.test("more than 10000 occupations are free text", async () => {
  const ids = Array.from({ length: 10_001 }, (_, i) => i + 1);
  await using opened = await loadFolder({
    "customers.csv": csv(
      ["Customer_Id", "Occupation"],
      ...ids.map((id) => [`${id}`, `o${id}`]),
    ),
    "interactions.csv": "Date Start,Interaction,Customers\n",
  });
  const { snapshot } = opened;
  assertEquals(snapshot.names.occupation, null);
  assertEquals(snapshot.positionOf("occupation", "o1"), undefined);
  const [row] = await ask(snapshot, {
    kind: "customers",
    filter: {},
    prefix: "O10001",
  });
  assertEquals(row.slice(0, 2), [10_001, "o10001"]);
});

Deno.test("questions at once answer each with its own numbers", async () => {
  const ids = Array.from({ length: 30 }, (_, i) => i + 1);
  await using opened = await loadFolder({
    "customers.csv": "Customer_Id\n",
    "interactions.csv": csv(
      ["Date Start", "Interaction", "Customers"],
      ...ids.flatMap((id) =>
        Array.from({ length: id }, () => ["2020-01-01", "Bird", `${id}`])
      ),
    ),
  });
  const { snapshot } = opened;
  const answers = await Promise.all(ids.map((id) =>
    ask(snapshot, {
      kind: "metrics",
      by: [],
      filter: { customer_ids: [id] },
    })
  ));
  assertEquals(answers, ids.map((id) => [[id]]));
});

Deno.test("columns of a name that is taken have a prefix", async () => {
  await using opened = await loadFolder({
    "customers.csv": "Customer_Id\n",
    "interactions.csv": "Date Start,Interaction,Customers\n",
    "channels.csv": csv(
      ["Channel"],
      ...["Total", "channel_total", "CUSTOMER_ID", "x"].map((name) => [name]),
    ),
  });
  const { columns, pivoted } = opened.snapshot.ask({
    kind: "interactions",
    filter: {},
    sort: { by: "total", descending: false },
  }, run);
  assertEquals(pivoted, {
    start: 3,
    names: ["CUSTOMER_ID", "Total", "channel_total", "x"],
  });
  assertEquals(columns.map(({ name }) => name), [
    "customer_id",
    "occupation",
    "type",
    "channel_CUSTOMER_ID",
    "channel_channel_Total",
    "channel_total",
    "x",
    "total",
  ]);
  assert(columns.every(({ name }) => name !== ""));
});
