/** Answers about named customers: from memory they are those of the query, byte for byte. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { INTERVALS } from "../../db/model/dimensions.ts";
import { listElement } from "../../db/model/comma_list.ts";
import { csv, type Files } from "../support/data_folder.ts";
import { dateOfDay } from "../support/load_folder.ts";
import { appOn, openApp, type OpenedApp } from "../support/open_app.ts";
import { textFiles, textMapping } from "../support/text_ids.ts";

const CHANNELS = ["Email", "Call", "10", "a, b", "total"];
const TOPICS = ["Sand", "Lemon, juice", "Stone", "Lemon"];
const TYPES = ["Red", "Blue", ""];
const OCCUPATIONS = ["Jedi", "Baker, master", ""];

const listOf = (names: readonly string[]) =>
  fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
    .map((list) =>
      list.map((name) => name === "" ? "null" : quoted(name)).join(",")
    );
const customer = fc.integer({ min: 1, max: 8 });
/** 1900-01-01, days about the turns of months and years, and the last day there is. */
const day = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom("1900-01-01", "2078-12-31") },
  {
    weight: 6,
    arbitrary: fc.integer({ min: 43_800, max: 43_900 }).map(dateOfDay),
  },
);

/** Ids that are texts, one for each of the customers 1 to 8, in another order than these. */
const TEXT_IDS = ["x,y", "7", "007", '"q"', "a/b c", "ü", "😀", "%41"];

const CHANNEL_LIST = csv(["Channel"], ...CHANNELS.map((one) => [one]));
const PRODUCTS = csv(
  ["Month", "Product"],
  ["2019-12", "Lemon, juice"],
  ["2020-01", "Lemon"],
  ["2020-01", "Stone"],
);

const data = fc.record({
  records: fc.uniqueArray(
    fc.tuple(
      customer,
      fc.constantFrom(...OCCUPATIONS),
      fc.constantFrom(...TYPES),
    ),
    { selector: ([id]) => id, maxLength: 6 },
  ),
  interactions: fc.array(
    fc.tuple(
      day,
      fc.constantFrom(...CHANNELS),
      fc.uniqueArray(customer, { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(fc.constantFrom("Sand", "Stone"), { maxLength: 2 }),
    ),
    { maxLength: 60 },
  ),
});

const optional = <Value>(value: fc.Arbitrary<Value>) =>
  fc.option(value, { nil: undefined });
const asked_day = fc.oneof(
  day,
  fc.constantFrom("0001-01-01", "1899-12-31", "2079-01-01", "9999-12-31"),
);
const filters = {
  start_date: optional(asked_day),
  end_date: optional(asked_day),
  topic: optional(listOf([...TOPICS, ""])),
  channel: optional(listOf(CHANNELS)),
};
const question = fc.oneof(
  fc.tuple(
    customer.map((id) => `/api/v1/interactions/{${id}}`),
    fc.record(filters),
  ),
  fc.tuple(
    customer.map((id) => `/api/v1/interactions/{${id}}/timeline`),
    fc.record({
      ...filters,
      interval: optional(fc.constantFrom(...INTERVALS)),
    }),
  ),
  fc.tuple(
    customer.map((id) => `/api/v1/interactions/{${id}}/topics`),
    fc.record(filters),
  ),
  fc.tuple(
    customer.map((id) => `/api/v1/customers/{${id}}`),
    fc.constant({}),
  ),
  fc.tuple(
    fc.constant("/api/v1/interactions"),
    fc.record({
      ...filters,
      customer_id: fc.array(customer, { minLength: 1, maxLength: 6 })
        .map((ids) => ids.map((id) => `{${id}}`).join()),
      type: optional(listOf(TYPES)),
      occupation: optional(listOf(OCCUPATIONS)),
      sort: optional(
        fc.constantFrom(
          "total",
          "-total",
          "-customer_id",
          "Email",
          "-10",
          "-channel_total",
        ),
      ),
      limit: optional(fc.constantFrom("1", "2", "5")),
    }),
  ),
);

/** A text in which a customer is `{4}`, with its id as `write` writes it. */
function withIds(
  text: string,
  { ids, write }: {
    readonly ids: readonly string[] | null;
    readonly write: (id: string) => string;
  },
): string {
  return text.replace(
    /\{(\d)\}/g,
    (_, number) => write(ids ? ids[number - 1] : number),
  );
}

Deno.test("random questions: from memory and by query, the same bytes", () =>
  holdsFor(null));

Deno.test("random questions about customers called by texts, with names: the same", () =>
  holdsFor(TEXT_IDS));

/** `ids` are texts; null where they are numbers. */
async function holdsFor(ids: readonly string[] | null): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      data,
      fc.array(question, { minLength: 60, maxLength: 60 }),
      async ({ records, interactions }, questions) => {
        const files: Files = ids
          ? {
            ...textFiles({
              records: records.map(([id, ...names]) => [
                ids[id - 1],
                id % 2 ? `Ann ${id}` : "",
                ...names,
              ]),
              interactions: interactions.map((
                [date, channel, numbers, topics],
              ) => [
                date,
                channel,
                numbers.map((number) => ids[number - 1]),
                topics.join(";"),
              ]),
            }),
            "tally.toml": `${textMapping(true)}
[channels]
files = "channels.csv"
channel = "Channel"
`,
            "channels.csv": CHANNEL_LIST,
            "products.csv": PRODUCTS,
          }
          : {
            "customers.csv": csv(
              ["id", "Occupation", "Type"],
              ...records.map(([id, ...names]) => [`${id}`, ...names]),
            ),
            "interactions.csv": csv(
              ["Date Start", "Interaction", "Customers", "Topic"],
              ...interactions.map(([date, channel, ids, topics]) => [
                date,
                channel,
                ids.join(";"),
                topics.join(";"),
              ]),
            ),
            "channels.csv": CHANNEL_LIST,
            "products.csv": PRODUCTS,
          };
        await using loaded = await openApp(files);
        const memory = countingQueries(loaded);
        await using query = await openApp(files, { SERVE_FROM: "query" });
        for (const [asked, given] of questions) {
          const path = withIds(asked, { ids, write: encodeURIComponent });
          const params = Object.fromEntries(
            Object.entries(given).map(([name, value]) => [
              name,
              value && withIds(value, { ids, write: listElement }),
            ]),
          );
          const is_long = await compare([memory, query], path, params);
          assert(memory.begun.queries === 0 || is_long, path);
          memory.begun.queries = 0;
        }
      },
    ),
    { numRuns: ids ? 8 : 15, endOnFailure: true },
  );
}

/** The application on the same data; `begun` counts its queries. */
function countingQueries({ store, snapshot }: OpenedApp) {
  const begun = { queries: 0 };
  const { app } = appOn({
    snapshot: {
      ...snapshot,
      begin(...args) {
        begun.queries++;
        return snapshot.begin(...args);
      },
    },
    problem: null,
    notice: null,
    refreshes: store.refreshes,
    files: store.files,
  });
  return { app, snapshot, begun };
}

/** Asks both, page after page. Returns whether the answer takes longer than a moment to write. */
async function compare(
  apps: readonly Pick<OpenedApp, "app" | "snapshot">[],
  path: string,
  params: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  let is_long = false;
  const given = Object.entries(params)
    .filter((one): one is [string, string] => one[1] !== undefined);
  const search = new URLSearchParams(given);
  let cursor: string | null = "";
  do {
    const url: string = `${path}?${search}${cursor && `&cursor=${cursor}`}`;
    const [one, other] = await Promise.all(
      apps.map((opened) => answerOf(opened, url)),
    );
    assertEquals(one, other, url);
    assert(one.status < 500, url);
    is_long ||= one.text.length > 100_000 ||
      one.text.includes("more than 10000 rows");
    cursor = one.status === 200
      ? JSON.parse(one.text).meta?.next as string | null
      : null;
  } while (cursor);
  return is_long;
}

async function answerOf(
  { app, snapshot }: Pick<OpenedApp, "app" | "snapshot">,
  url: string,
): Promise<{ status: number; text: string }> {
  const answer = await app.request(url);
  const text = (await answer.text()).replace(snapshot.loaded_at, "then");
  return { status: answer.status, text };
}

function quoted(name: string): string {
  return name.includes(",") ? `"${name}"` : name;
}
