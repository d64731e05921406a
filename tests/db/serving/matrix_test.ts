/** The matrix from memory has the rows that the query has: pages in every order, filters, what is after a row, and all customers. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type {
  Cell,
  InteractionsQuestion,
} from "../../../db/model/questions.ts";
import type { CustomerId } from "../../../db/model/customer_ids.ts";
import type { Snapshot } from "../../../db/store.ts";
import { csv, type Files } from "../../support/data_folder.ts";
import { loadFolder } from "../../support/load_folder.ts";
import { NASTY_IDS, textFiles } from "../../support/text_ids.ts";

const CHANNELS = ["Bird", "Call", "Email"];
const TYPES = ["Blue", "Red"];
const TOPICS = ["Salt", "Sand"];
const CUSTOMERS = 60;

/** Customers with gaps between their ids, with and without a record, of few and of many interactions. */
const NUMBERS: Files = {
  "customers.csv": csv(
    ["Customer_Id", "Occupation", "Type"],
    ...Array.from({ length: CUSTOMERS }, (_, i) => [
      `${i * 3 + 1}`,
      i % 4 ? `o${i % 5}` : "",
      ["Red", "Blue", ""][i % 3],
    ]),
  ),
  "products.csv": csv(
    ["Date", "Product"],
    ["01-2020", "Sand"],
    ["02-2020", "Salt"],
    ["02-2020", "Sand"],
  ),
  "interactions.csv": csv(
    ["Date Start", "Interaction", "Customers"],
    ...Array.from({ length: 900 }, (_, i) => [
      `2020-0${1 + i % 3}-1${i % 7}`,
      CHANNELS[(i * 5 >> 1) % 3],
      // One of five has no record; many have the same total.
      `${i % 5 ? (i * 7 % 40) * 3 + 1 : (i * 11 % 30) * 3 + 2}`,
    ]),
  ),
};

/** Customers whose ids are texts, with names. */
const TEXTS: Files = textFiles({
  records: NASTY_IDS.slice(3).map((id, i) => [
    id,
    i % 3 ? `Name ${i}` : "",
    `o${i % 5}`,
    ["Red", "Blue", ""][i % 3],
  ]),
  interactions: Array.from({ length: 300 }, (_, i) => [
    `2020-0${1 + i % 3}-1${i % 7}`,
    CHANNELS[(i * 5 >> 1) % 3],
    [NASTY_IDS[(i * 7) % NASTY_IDS.length]],
    ["Sand", "Salt", ""][i % 3],
  ]),
});

const day = fc.integer({ min: 0, max: 100 }).map((days) =>
  new Date(Date.UTC(2019, 11, 25 + days)).toISOString().slice(0, 10)
);

const filters = fc.record({
  start_date: fc.option(day, { nil: undefined }),
  end_date: fc.option(day, { nil: undefined }),
  channels: fc.option(fc.subarray(CHANNELS, { minLength: 1 }), {
    nil: undefined,
  }),
  topics: fc.option(fc.subarray([...TOPICS, null], { minLength: 1 }), {
    nil: undefined,
  }),
  types: fc.option(fc.subarray([...TYPES, null], { minLength: 1 }), {
    nil: undefined,
  }),
});

const questions = fc.record({
  filter: filters,
  by: fc.constantFrom("customer_id", "total", "channel" as const),
  channel: fc.nat(),
  descending: fc.boolean(),
  limit: fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined }),
}).map(({ filter, by, channel, descending, limit }): InteractionsQuestion => {
  const shown: readonly string[] = filter.channels ?? CHANNELS;
  return {
    kind: "interactions",
    // What is left out is not there: the routes leave no undefined.
    filter: JSON.parse(JSON.stringify(filter)),
    sort: {
      by: by === "channel" ? { channel: shown[channel % shown.length] } : by,
      descending,
    },
    limit,
  };
});

async function ask(
  snapshot: Snapshot,
  question: InteractionsQuestion,
): Promise<{ rows: Cell[][]; count: number }> {
  const limit = { signal: new AbortController().signal, ends_at_ms: Infinity };
  using run = await snapshot.begin(limit);
  const { batches, count } = snapshot.ask(question, run);
  const rows = (await Array.fromAsync(batches)).flat().map((row) => [...row]);
  return { rows, count: await count() };
}

/** The question for the rows after one of an answer, as a cursor has it. */
function after(
  question: InteractionsQuestion,
  row: readonly Cell[],
  snapshot: Snapshot,
): InteractionsQuestion {
  const { by } = question.sort;
  const customer_id = snapshot.customers.numberOf(row[0] as CustomerId);
  const shown = question.filter.channels ?? CHANNELS;
  const value = by === "customer_id"
    ? customer_id
    : by === "total"
    ? row.at(-1)
    : row.at(shown.indexOf(by.channel) - shown.length - 1);
  return { ...question, after: { customer_id, value: value as number } };
}

for (const [name, files] of [["numbers", NUMBERS], ["texts", TEXTS]] as const) {
  Deno.test(`ids that are ${name}: the same rows, and the same after each`, async () => {
    await using memory = await loadFolder(files);
    await using query = await loadFolder(files, { SERVE_FROM: "query" });
    let pages = 0;
    await fc.assert(
      fc.asyncProperty(questions, fc.nat(), async (question, at) => {
        const expected = await ask(query.snapshot, question);
        assertEquals(await ask(memory.snapshot, question), expected);
        const { rows } = expected;
        if (rows.length === 0) return;
        const next = after(question, rows[at % rows.length], query.snapshot);
        assertEquals(
          await ask(memory.snapshot, next),
          await ask(query.snapshot, next),
        );
        pages++;
      }),
      { numRuns: 60 },
    );
    assert(pages > 20);
  });
}
