/** The check of the index: it passes what is right, and finds what is not. */

import { assert, assertRejects } from "@std/assert";
import { checkIndex } from "../../../db/duckdb/check_index.ts";
import { buildQueryTables } from "../../../db/duckdb/query_tables.ts";
import { customersShape } from "../../../db/model/customer_ids.ts";
import { NAMED_DIMENSIONS } from "../../../db/model/dimensions.ts";
import { readIndex } from "../../../db/duckdb/read_index.ts";
import {
  type IndexColumns,
  ServingIndex,
} from "../../../db/serving/serving_index.ts";
import { csv } from "../../support/data_folder.ts";
import {
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
} from "../../support/load_folder.ts";

/** 30 customers with a Call and an Email on each of 12 days of 2020, each month with a topic. */
const FILES = {
  "customers.csv": NO_CUSTOMERS + "99,Jedi,Red\n",
  "products.csv": csv(
    ["Month", "Product"],
    ...Array.from({ length: 12 }, (_, i) => [
      `${i + 1}-2020`,
      i % 2 ? "Sand" : "Salt",
    ]),
  ),
  "interactions.csv": csv(
    ["Date Start", "Interaction", "Customers"],
    ...Array.from({ length: 30 * 12 * 2 }, (_, i) => [
      `15/${1 + (i >> 1) % 12}/2020`,
      i % 2 ? "Call" : "Email",
      `${1 + Math.floor(i / 24)}`,
    ]),
  ),
};

type Index = Parameters<typeof checkIndex>[1];

const NUMBERS: Parameters<typeof checkIndex>[2]["customers"] = {
  numberOf: Number,
  idOf: (number) => number,
};

async function check(
  files: Record<string, string>,
  { indexOf, customers = NUMBERS }: {
    readonly indexOf: (columns: IndexColumns) => Index;
    readonly customers?: typeof NUMBERS;
  },
): Promise<void> {
  await using loaded = await loadTables(files);
  const { database, report, channels, topics } = loaded;
  const { customer_names } = await buildQueryTables(database, loaded);
  const { columns } = await readIndex(database, {
    customers: report.customers,
    interactions: report.interactions,
    anonymous: 0,
    channels: channels.length,
    topics: topics.length,
    shape: customersShape(report),
    dimensions: NAMED_DIMENSIONS,
    customer_names,
  });
  await checkIndex(database, indexOf(columns), {
    channel_count: channels.length,
    customers,
  });
}

Deno.test("checkIndex, an index that is right", async (t) => {
  const cases: [name: string, files: Record<string, string>][] = [
    ["of dates, topics and a silent customer", FILES],
    ["without topics", { ...FILES, "products.csv": "Month,Product\n" }],
    ["of channels named like columns", {
      ...FILES,
      "channels.csv":
        "Channel\nquestion\ncustomer_id\nstart_date\ntopic_code\nrows\n",
    }],
    ["of nothing", {
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": NO_INTERACTIONS,
    }],
  ];
  for (const [name, files] of cases) {
    await t.step(
      name,
      () => check(files, { indexOf: (all) => new ServingIndex(all) }),
    );
  }
});

Deno.test("checkIndex, an index that is wrong", async (t) => {
  const spoiled =
    (spoil: (columns: IndexColumns) => Partial<IndexColumns>) =>
    (columns: IndexColumns) =>
      new ServingIndex({ ...columns, ...spoil(columns) });
  const cases: [name: string, indexOf: (columns: IndexColumns) => Index][] = [
    [
      "a customer is missing",
      spoiled(({ customer_ids }) => ({
        customer_ids: customer_ids!.map((id) => id === 7 ? 1_000 : id),
      })),
    ],
    ["everybody is known", (columns) => {
      const index = new ServingIndex(columns);
      return {
        placeOf: (id) => Math.max(0, index.placeOf(id)),
        membersOf: (codes) => index.membersOf(codes),
        count: (place, filter) => index.count(place, filter),
      };
    }],
    [
      "a channel's interactions are another's",
      spoiled(({ offsets }) => ({
        offsets: offsets.map((offset, i) => offset + (i === 5 ? 1 : 0)),
      })),
    ],
    [
      "a day later",
      spoiled(({ days }) => ({ days: days.map((day) => day + 1) })),
    ],
    [
      "the topics are swapped",
      spoiled(({ set_topics, topic_count }) => ({
        set_topics: set_topics.map((codes) =>
          codes.map((code) => topic_count - code)
        ),
      })),
    ],
    [
      "without topics",
      spoiled(({ topic_sets }) => ({ topic_sets: topic_sets.map(() => 0) })),
    ],
  ];
  for (const [name, indexOf] of cases) {
    await t.step(name, async () => {
      await assertRejects(
        () => check(FILES, { indexOf }),
        Error,
        "the index and the query differ on customer",
      );
    });
  }
});

Deno.test("checkIndex, a customer who is not found by its id", async () => {
  await assertRejects(
    () =>
      check(FILES, {
        indexOf: (columns) => new ServingIndex(columns),
        customers: {
          idOf: (number) => `C-${number}`,
          numberOf: (id) => id === "C-7" ? 8 : Number(String(id).slice(2)),
        },
      }),
    Error,
    'customer 7 is not found by its id "C-7"',
  );
});

Deno.test("a customer with very many interactions: fewer questions, in a moment", async () => {
  const rows = 400_000;
  await using tables = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS + "01/02/2020,Call,1\n".repeat(rows),
  });
  // 12 of them are 4.8 M rows.
  let asked = 0;
  for await (
    const [ids] of tables.database.streamNumbers("load/4_serve/index_questions")
  ) {
    asked += ids.filter((id) => id === 1).length;
  }
  assert(asked >= 3 && asked <= 12, `${asked} questions`);
});
