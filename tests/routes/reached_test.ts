/** Customers reached: random questions, from the index and by query, against a recount of the rows. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { listElement } from "../../db/model/comma_list.ts";
import type { Dimension } from "../../db/model/dimensions.ts";
import { csv, type Files } from "../support/data_folder.ts";
import { openApp, type OpenedApp } from "../support/open_app.ts";
import { textFiles } from "../support/text_ids.ts";

const PATH = "/api/v1/metrics/customers";
/** Customers by number; each file calls them its own way. The last one is nobody, or has no record. */
const CUSTOMERS = [1, 2, 3, 4, 5, 6, 7];
const NOBODY = 7;
const TEXT_IDS = ["x,y", "7", "007", '"q"', "a/b c", "ü", "😀"];
const CHANNELS = ["Ｃall", "Email", "a, b", "😀"];
const OWN_TOPICS = ["Sand", "Stone"];
const TOPICS = [...OWN_TOPICS, "Salt"];
const TYPES = ["Blue", "Red", ""];
const OCCUPATIONS = ["Baker, master", "Jedi", ""];
/** Days about the turns of weeks, months and years; 2020-12-31 and 2021-01-03 are of week 2020-W53. */
const DAYS = [
  "1900-01-01",
  "2019-02-28",
  "2019-12-29",
  "2019-12-30",
  "2020-01-01",
  "2020-02-29",
  "2020-12-31",
  "2021-01-03",
  "2021-01-04",
  "2078-12-31",
];
const BY = [
  "channel",
  "topic",
  "type",
  "occupation",
  "day",
  "week",
  "month",
  "quarter",
  "year",
  "weekday",
] as const satisfies Dimension[];
type By = typeof BY[number];

type Name = string | null;

/** An interaction of one customer, as a reader of the files sees it. */
interface Fact {
  readonly customer: number;
  readonly day: string;
  readonly channel: string;
  readonly topics: readonly Name[];
}

/** The names of a customer's record; both are empty without one. */
type CustomerRecord = readonly [
  customer: number,
  occupation: string,
  type: string,
];

interface Data {
  readonly records: readonly CustomerRecord[];
  readonly calls: readonly {
    readonly day: string;
    readonly channel: string;
    readonly customers: readonly number[];
    readonly topics: readonly string[];
  }[];
}

const data: fc.Arbitrary<Data> = fc.record({
  records: fc.tuple(
    ...CUSTOMERS.filter((one) => one !== NOBODY).map((customer) =>
      fc.tuple(
        fc.constant(customer),
        fc.constantFrom(...OCCUPATIONS),
        fc.constantFrom(...TYPES),
      )
    ),
  ),
  calls: fc.array(
    fc.record({
      day: fc.constantFrom(...DAYS),
      channel: fc.constantFrom(...CHANNELS),
      customers: fc.subarray(CUSTOMERS, { minLength: 1, maxLength: 3 }),
      topics: fc.subarray(OWN_TOPICS),
    }),
    // Without a size, most lists have a few elements.
    { maxLength: 60, size: "max" },
  ),
});

interface Asked {
  readonly by: readonly By[];
  readonly period?: readonly [string, string];
  readonly open?: "start_date" | "end_date";
  readonly compare?: "previous_period" | "previous_year";
  readonly channel?: readonly Name[];
  readonly topic?: readonly Name[];
  readonly type?: readonly Name[];
  readonly occupation?: readonly Name[];
}

const day = fc.constantFrom(...DAYS, "2020-06-01", "1899-12-31", "9999-12-31");
const some = (names: readonly string[], none: boolean) =>
  fc.subarray<Name>(
    [...names.filter((name) => name !== ""), ...none ? [null] : []],
    { minLength: 1 },
  );
const asked: fc.Arbitrary<Asked> = fc.record({
  // Without a day or a topic, not every interaction is looked at.
  by: fc.oneof(
    fc.shuffledSubarray([...BY], { maxLength: 3 }),
    fc.shuffledSubarray<By>(["channel", "type", "occupation"]),
  ),
  period: fc.tuple(day, day).map(([one, other]) =>
    one < other ? [one, other] as const : [other, one] as const
  ),
  open: fc.constantFrom("start_date", "end_date"),
  compare: fc.constantFrom("previous_period", "previous_year"),
  channel: some(CHANNELS, false),
  topic: some(TOPICS, true),
  type: some(TYPES, true),
  occupation: some(OCCUPATIONS, true),
}, { requiredKeys: ["by"] });

/** The ways in which customers are called. */
const KINDS = ["numbers", "texts", "phones, numbers", "phones, texts"] as const;
type Kind = typeof KINDS[number];

/** Salt is the product of January 2020, so the topic of what has none of its own. */
const PRODUCTS = csv(["Month", "Product"], ["2020-01", "Salt"]);

function filesOf({ records, calls }: Data, kind: Kind): Files {
  if (kind === "texts") {
    return {
      ...textFiles({
        names: false,
        records: records.map(([customer, ...names]) => [
          TEXT_IDS[customer - 1],
          "",
          ...names,
        ]),
        interactions: calls.map(({ day, channel, customers, topics }) => [
          day,
          channel,
          customers.map((customer) => TEXT_IDS[customer - 1]),
          topics.join(";"),
        ]),
      }),
      "products.csv": PRODUCTS,
    };
  }
  if (kind === "numbers") {
    return {
      "customers.csv": csv(
        ["id", "Occupation", "Type"],
        ...records.map(([customer, ...names]) => [`${customer}`, ...names]),
      ),
      "interactions.csv": csv(
        ["Date Start", "Interaction", "Customers", "Topic"],
        ...calls.map(({ day, channel, customers, topics }) => [
          day,
          channel,
          customers.join(";"),
          topics.join(";"),
        ]),
      ),
      "products.csv": PRODUCTS,
    };
  }
  const text_ids = kind === "phones, texts";
  const phone = (customer: number) => `+1 555 010${customer}`;
  return {
    "tally.toml": `[customers]
files = "customers.csv"
id = { column = "Id", kind = "${text_ids ? "text" : "integer"}" }
occupation = "Occupation"
type = "Type"

[interactions]
files = "interactions.csv"
customer = { column = "To", match = "Phone", match_as = "phone", separator = ";", unmatched = "anonymous" }
time = { column = "Time", format = "iso" }
channel = "Channel"
topic = "Topic"

[products]
files = "products.csv"
date = "Month"
product = "Product"
`,
    "customers.csv": csv(
      ["Id", "Occupation", "Type", "Phone"],
      ...records.map(([customer, ...names]) => [
        text_ids ? TEXT_IDS[customer - 1] : `${customer}`,
        ...names,
        phone(customer),
      ]),
    ),
    "interactions.csv": csv(
      ["To", "Time", "Channel", "Topic"],
      ...calls.map(({ day, channel, customers, topics }) => [
        customers.map(phone).join(";"),
        `${day} 10:00`,
        channel,
        topics.join(";"),
      ]),
    ),
    "products.csv": PRODUCTS,
  };
}

function factsOf({ calls }: Data, kind: Kind): Fact[] {
  return calls.flatMap(({ day, channel, customers, topics }) => {
    const of_month = day.startsWith("2020-01") ? ["Salt"] : [null];
    return customers
      .filter((customer) => customer !== NOBODY || !kind.startsWith("phones"))
      .map((customer) => ({
        customer,
        day,
        channel,
        topics: topics.length > 0 ? topics : of_month,
      }));
  });
}

type Value = string | number | null;

function valueOf(name: Exclude<By, "topic">, { fact, records }: {
  readonly fact: Fact;
  readonly records: readonly CustomerRecord[];
}): Value {
  const { customer, day, channel } = fact;
  const date = Temporal.PlainDate.from(day);
  const [, occupation, type] = records.find(([one]) => one === customer) ?? [];
  switch (name) {
    case "channel":
      return channel;
    case "type":
      return type || null;
    case "occupation":
      return occupation || null;
    case "day":
      return day;
    case "week":
      return `${date.yearOfWeek}-W${String(date.weekOfYear).padStart(2, "0")}`;
    case "month":
      return day.slice(0, 7);
    case "quarter":
      return `${date.year}-Q${Math.ceil(date.month / 3)}`;
    case "year":
      return day.slice(0, 4);
    case "weekday":
      return date.dayOfWeek;
  }
}

/** The customers of each group within a period, by the text of its values. */
function reachedIn(
  facts: readonly Fact[],
  { asked, records, first, last }: {
    readonly asked: Asked;
    readonly records: readonly CustomerRecord[];
    readonly first: string;
    readonly last: string;
  },
): Map<string, Set<number>> {
  const groups = new Map<string, Set<number>>();
  for (const fact of facts) {
    if (fact.day < first || fact.day > last) continue;
    const is_left_out = (["channel", "type", "occupation"] as const).some((
      name,
    ) =>
      asked[name] &&
      !asked[name].includes(valueOf(name, { fact, records }) as Name)
    );
    if (is_left_out) continue;
    for (const topic of fact.topics) {
      if (asked.topic && !asked.topic.includes(topic)) continue;
      const key = JSON.stringify(
        asked.by.map((name) =>
          name === "topic" ? topic : valueOf(name, { fact, records })
        ),
      );
      groups.set(key, (groups.get(key) ?? new Set()).add(fact.customer));
    }
  }
  return groups;
}

function inOrder(one: readonly Value[], other: readonly Value[]): number {
  for (const [i, value] of one.entries()) {
    const against = other[i];
    if (value === against) continue;
    if (value === null) return 1;
    if (against === null) return -1;
    return typeof value === "number"
      ? value - (against as number)
      : Buffer.compare(Buffer.from(value), Buffer.from(against as string));
  }
  return 0;
}

function periodBefore(
  [start, end]: readonly [string, string],
  is_year: boolean,
) {
  const [first, last] = [start, end].map((day) => Temporal.PlainDate.from(day));
  if (is_year) {
    return [first, last].map((day) => `${day.subtract({ years: 1 })}`);
  }
  const days = first.until(last).days + 1;
  return [`${first.subtract({ days })}`, `${first.subtract({ days: 1 })}`];
}

/** What a question must be answered with, counted row by row. */
function recount(
  { records }: Data,
  { facts, asked }: { readonly facts: readonly Fact[]; readonly asked: Asked },
) {
  const { by, period, open, compare } = asked;
  const [start, end] = period ?? ["0001-01-01", "9999-12-31"];
  const first = open === "start_date" ? "0001-01-01" : start;
  const last = open === "end_date" ? "9999-12-31" : end;
  const groups = reachedIn(facts, { asked, records, first, last });
  const [previous_first, previous_last] = compare
    ? periodBefore([start, end], compare === "previous_year")
    : [];
  const earlier = compare && reachedIn(facts, {
    asked,
    records,
    first: previous_first,
    last: previous_last,
  });
  const keys = new Set([
    ...groups.keys(),
    ...earlier?.keys() ?? [],
    ...by.length === 0 ? ["[]"] : [],
  ]);
  const rows = [...keys].map((key) => JSON.parse(key) as Value[]).sort(inOrder)
    .map((values) => {
      const key = JSON.stringify(values);
      const customers = groups.get(key)?.size ?? 0;
      const previous = earlier?.get(key)?.size ?? 0;
      return {
        ...Object.fromEntries(by.map((name, i) => [name, values[i]])),
        customers,
        ...compare && {
          previous,
          change: previous === 0
            ? null
            : Number(((customers - previous) / previous).toFixed(4)),
        },
      };
    });
  const each = new Set([...groups.values()].flatMap((group) => [...group]));
  const sum = rows.reduce((sum, { customers }) => sum + customers, 0);
  return {
    data: rows,
    customers: each.size,
    overlap: sum - each.size,
    compared_with: compare &&
      { start_date: previous_first, end_date: previous_last },
  };
}

function queryOf({ by, period, open, compare, ...names }: Asked): string {
  const query = new URLSearchParams();
  if (by.length > 0) query.set("by", by.join(","));
  if (period && open !== "start_date") query.set("start_date", period[0]);
  if (period && open !== "end_date") query.set("end_date", period[1]);
  if (compare) query.set("compare", compare);
  for (const [name, list] of Object.entries(names)) {
    if (list === undefined) continue;
    query.set(
      name,
      list.map((one) => one === null ? "null" : listElement(one)).join(","),
    );
  }
  return `${query}`;
}

/** A question of customers reached that the data has the names for, and that is no mistake. */
function askable(asked: Asked, { names }: OpenedApp["snapshot"]): Asked {
  const known = (name: "channel" | "topic" | "type" | "occupation") => {
    const kept = asked[name]?.filter((one) =>
      one === null || names[name]!.includes(one)
    );
    return kept?.length ? kept : undefined;
  };
  const { by, period, open, compare } = asked;
  const has_time = by.some((name) => BY.indexOf(name) >= BY.indexOf("day"));
  const is_comparable = period && !open && !has_time &&
    period[0] > "1900-01-01" && period[1] < "9999";
  const is_reached = period || has_time || by.includes("channel") ||
    by.includes("topic") || known("channel") || known("topic");
  return {
    by: is_reached ? by : [...by.slice(0, 2), "week"],
    period,
    open: period && open,
    compare: is_comparable ? compare : undefined,
    channel: known("channel"),
    topic: known("topic"),
    type: known("type"),
    occupation: known("occupation"),
  };
}

for (const kind of KINDS) {
  Deno.test(`customers reached, called by ${kind}: from the index and by query, as recounted`, async () => {
    await fc.assert(
      fc.asyncProperty(
        data,
        fc.array(asked, { minLength: 40, maxLength: 40 }),
        async (data, questions) => {
          const files = filesOf(data, kind);
          const settings = { MAX_SET_ASIDE: "0" };
          await using index = await openApp(files, settings);
          await using query = await openApp(files, {
            ...settings,
            SERVE_FROM: "query",
          });
          const facts = factsOf(data, kind);
          for (const one of questions) {
            const asked = askable(one, index.snapshot);
            const expected = recount(data, { facts, asked });
            for (const { app } of [index, query]) {
              const path = `${PATH}?${queryOf(asked)}`;
              const answer = await app.request(path);
              const text = await answer.text();
              assertEquals(answer.status, 200, `${path}: ${text}`);
              const { data, meta } = JSON.parse(text);
              const { customers, overlap, compared_with } = meta;
              assertEquals(
                { data, customers, overlap, compared_with },
                expected,
                path,
              );
            }
          }
        },
      ),
      { numRuns: 3, endOnFailure: true },
    );
  });
}
