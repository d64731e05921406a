/** Random questions about attributes of customers: answered alike from the index and by query, and as a recount counts. */

import { assert, assertEquals } from "@std/assert";
import type { Cell, Question } from "../../db/model/questions.ts";
import { csv } from "../support/data_folder.ts";
import { openApp, type OpenedApp } from "../support/open_app.ts";

/** A pseudo-random number below `end`, the same in every run. */
function createRandom(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 2_147_483_648 * end);
  };
}

/** How the customers of calls are named. */
const CUSTOMERS = {
  "whole numbers": { kind: "integer", customer: '"Who"' },
  "texts": { kind: "text", customer: '"Who"' },
  "whole numbers, of some nobody is known": {
    kind: "integer",
    customer:
      '{ column = "Who", match = "Phone", match_as = "phone", unmatched = "anonymous" }',
  },
  "texts, of some nobody is known": {
    kind: "text",
    customer:
      '{ column = "Who", match = "Phone", match_as = "phone", unmatched = "anonymous" }',
  },
} as const;

/** An interaction and what is known of its customer. */
interface Fact {
  readonly channel: string;
  readonly topics: readonly (string | null)[];
  readonly type: string | null;
  readonly occupation: string | null;
  readonly country: string | null;
  readonly owner: string | null;
  readonly month: string;
  readonly day: string;
}

/** Exports, and their interactions. */
function randomExports(
  random: (end: number) => number,
  { kind, customer }: { readonly kind: string; readonly customer: string },
) {
  const one = (values: readonly string[]) => values[random(values.length)];
  const idOf = (number: number) =>
    kind === "text" ? `C-${number}` : `${number}`;
  const people = Array.from({ length: 40 }, (_, i) => ({
    id: idOf(i + 1),
    phone: `555${100 + i + 1}`,
    type: one(["Red", "Blue", ""]),
    occupation: one(["Jedi", "Sith", ""]),
    country: one(["Chile", "Peru", "Togo", ""]),
    owner: one(["Ann", "Bob", ""]),
  }));
  const is_matched = customer.includes("match");
  const calls = Array.from({ length: 600 }, () => {
    const number = 1 + random(45);
    return {
      day: `2020-0${1 + random(4)}-1${random(10)}`,
      channel: one(["Call", "Mail", "Visit"]),
      topic: one(["", "Sand", "Wine", "Sand;Wine"]),
      number,
      who: is_matched ? `555${100 + number}` : idOf(number),
    };
  });
  const files = {
    "tally.toml": `
[customers]
files = "people.csv"
id = { column = "Id", kind = "${kind}" }
type = "Type"
occupation = "Job"
attributes = { country = "Country", owner = "Owner" }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
topic = "About"
customer = ${customer}
`,
    "people.csv": csv(
      ["Id", "Phone", "Type", "Job", "Country", "Owner"],
      ...people.map((
        { id, phone, type, occupation, country, owner },
      ) => [id, phone, type, occupation, country, owner]),
    ),
    "calls.csv": csv(
      ["When", "Kind", "About", "Who"],
      ...calls.map((
        { day, channel, topic, who },
      ) => [day, channel, topic, who]),
    ),
  };
  const facts = calls.map(({ day, channel, topic, number }): Fact => {
    const person = people[number - 1];
    return {
      channel,
      topics: topic ? topic.split(";") : [null],
      type: person?.type || null,
      occupation: person?.occupation || null,
      country: person?.country || null,
      owner: person?.owner || null,
      month: day.slice(0, 7),
      day,
    };
  });
  return { files, facts };
}

const GROUPS = [
  "channel",
  "topic",
  "type",
  "occupation",
  "country",
  "owner",
  "month",
  "weekday",
] as const;
const PIVOTS = ["country", "owner", "channel", "type", "topic", "weekday"];

/** Parameters of a question, most with an attribute. */
function randomQuestion(random: (end: number) => number) {
  const maybe = (values: readonly string[], odds = 3) =>
    random(odds) === 0 ? values[random(values.length)] : undefined;
  const by = GROUPS.filter(() => random(4) === 0).slice(0, 3);
  const start_date = maybe(["2020-02-11", "2020-02-15", "2020-03-01"], 2);
  const end_date = maybe(["2020-03-12", "2020-03-19", "2021-01-01"], 2);
  const pivot = maybe(
    PIVOTS.filter((one) => !by.some((name) => name === one)),
    2,
  );
  const is_compared = start_date && end_date && pivot !== "weekday" &&
    !by.some((name) => name === "month" || name === "weekday");
  return {
    by,
    pivot,
    country: maybe(["Chile", "peru", "null", "Togo,null"]),
    owner: maybe(["Ann", "Bob,null"], 4),
    type: maybe(["Red", "null"], 4),
    channel: maybe(["Call", "Mail,Visit"], 4),
    topic: maybe(["Sand", "Sand,Wine", "null"], 4),
    start_date,
    end_date,
    compare: is_compared
      ? maybe(["previous_period", "previous_year"])
      : undefined,
  };
}

function searchOf(
  { by, ...others }: Readonly<Record<string, unknown>> & {
    readonly by: readonly string[];
  },
): URLSearchParams {
  return new URLSearchParams(
    Object.entries({ by: by.join() || undefined, ...others })
      .filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

async function answerOf(opened: OpenedApp, path: string) {
  const answer = await opened.app.request(path);
  const text = await answer.text();
  const { loaded_at } = opened.store.snapshot!;
  return { status: answer.status, text: text.replace(loaded_at, "then") };
}

async function rowsOf({ snapshot }: OpenedApp, question: Question) {
  const { signal } = new AbortController();
  using run = await snapshot.begin({ signal, ends_at_ms: Infinity });
  const rows: Cell[][] = [];
  for await (const batch of snapshot.ask(question, run).batches) {
    for (const row of batch) rows.push([...row]);
  }
  return rows;
}

/** How many interactions each group has, by the texts of its names. */
function recount(
  facts: readonly Fact[],
  { by, start_date, end_date, ...question }: ReturnType<typeof randomQuestion>,
): Map<string, number> {
  const wanted = (given: string | undefined, name: string | null) =>
    given === undefined ||
    given.toLowerCase().split(",").includes(`${name}`.toLowerCase());
  const counts = new Map<string, number>();
  for (const fact of facts) {
    const topics = fact.topics.filter((one) => wanted(question.topic, one));
    if (
      topics.length === 0 || start_date && fact.day < start_date ||
      end_date && fact.day > end_date ||
      !(["country", "owner", "type", "channel"] as const)
        .every((name) => wanted(question[name], fact[name]))
    ) continue;
    for (const topic of by.includes("topic") ? topics : [null]) {
      const names = by.map((name) =>
        name === "topic"
          ? topic
          : name === "weekday"
          ? new Date(fact.day).getUTCDay() || 7
          : fact[name]
      );
      const key = JSON.stringify(names);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

for (const [title, customers] of Object.entries(CUSTOMERS)) {
  Deno.test(`customers are ${title}`, async (t) => {
    const random = createRandom(7);
    const { files, facts } = randomExports(random, customers);
    await using index = await openApp(files);
    await using query = await openApp(files, { SERVE_FROM: "query" });
    const sameAnswer = async (path: string) => {
      const [from_index, from_query] = await Promise.all(
        [index, query].map((opened) => answerOf(opened, path)),
      );
      assertEquals(from_index, from_query, path);
      return from_index;
    };

    await t.step("interactions", async () => {
      let found = 0;
      for (let turn = 0; turn < 150; turn++) {
        const question = randomQuestion(random);
        const path = `/api/v1/metrics/interactions?${searchOf(question)}`;
        const { status, text } = await sameAnswer(path);
        assertEquals(status, 200, `${path} ${text}`);
        const { by, pivot, compare } = question;
        // Of those that are compared, groups may be there for the period before.
        if (compare) continue;
        const rows: readonly (Fact & Record<string, number>)[] =
          JSON.parse(text).data;
        const told = new Map(rows.map((row) => [
          JSON.stringify(by.map((name) => row[name as keyof typeof row])),
          pivot ? row.total : row.interactions,
        ]));
        const expected = recount(facts, question);
        if (by.length === 0 && expected.size === 0) expected.set("[]", 0);
        assertEquals(told, expected, path);
        found += expected.size;
      }
      assert(found > 300);
    });

    await t.step("the first rows", async () => {
      for (const limit of [1, 3, 1_000]) {
        for (const pivot of [undefined, "channel", "owner"]) {
          const rows = await Promise.all(
            [index, query].map((opened) =>
              rowsOf(opened, {
                kind: "metrics",
                by: ["country", "month"],
                ...pivot && { pivot },
                filter: { start_date: "2020-02-11" },
                limit,
              })
            ),
          );
          assertEquals(rows[0], rows[1], `${limit} ${pivot}`);
        }
      }
    });

    await t.step("the columns of a pivot are groups", async () => {
      for (const pivot of ["country", "owner"] as const) {
        const question = { ...randomQuestion(random), by: ["month"] as const };
        const path = `/api/v1/metrics/interactions?by=month&pivot=${pivot}`;
        const { text } = await sameAnswer(path);
        const expected = recount(facts, {
          ...Object.fromEntries(Object.keys(question).map((name) => [name])),
          by: ["month", pivot],
        } as ReturnType<typeof randomQuestion>);
        for (const { month, interactions } of JSON.parse(text).data) {
          for (const [name, number] of Object.entries(interactions)) {
            const key = JSON.stringify([month, name === "null" ? null : name]);
            assertEquals(number, expected.get(key) ?? 0, `${path} ${key}`);
          }
        }
      }
    });

    await t.step("customers that are known", async () => {
      const of_customers = ["type", "occupation", "country", "owner"] as const;
      for (let turn = 0; turn < 40; turn++) {
        const { country, owner, type } = randomQuestion(random);
        const by = of_customers.filter(() => random(2) === 0).slice(0, 3);
        const path = `/api/v1/metrics/customers?${
          searchOf({ by, country, owner, type })
        }`;
        const { text } = await sameAnswer(path);
        const { data, meta } = JSON.parse(text);
        assertEquals(
          data.reduce(
            (sum: number, one: { customers: number }) => sum + one.customers,
            0,
          ),
          meta.customers,
        );
      }
      const { text } = await sameAnswer("/api/v1/metrics/customers");
      const { data, meta } = JSON.parse(text);
      const known = customers.customer.includes("match") ? 40 : 45;
      assertEquals(data, [{ customers: known }]);
      assertEquals(meta.without_record, known - 40);
      await sameAnswer("/api/v1/dimensions");
    });

    await t.step("customers, and lists of them", async () => {
      for (let turn = 0; turn < 40; turn++) {
        const { pivot: _, compare, by, ...filters } = randomQuestion(random);
        const search = searchOf({ by, compare, ...filters });
        const { status } = await sameAnswer(
          `/api/v1/metrics/customers?${search}`,
        );
        assertEquals(status, 200, `${search}`);
        const { topic, start_date, end_date, ...chosen } = filters;
        for (
          const path of [
            `interactions?${searchOf({ by: [], ...filters })}&limit=7`,
            `customers?${searchOf({ by: [], ...chosen })}`,
            `interactions?${
              searchOf({ by: [], topic, start_date, end_date })
            }&sort=-total`,
          ]
        ) await sameAnswer(`/api/v1/${path}`);
      }
    });
  });
}
