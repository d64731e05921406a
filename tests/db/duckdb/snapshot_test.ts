/** Snapshots: what they answer, the same from the index and from the query. */

import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { DuckdbSnapshot } from "../../../db/duckdb/snapshot.ts";
import type { CustomerQuestion } from "../../../db/model/questions.ts";
import { csv, dataFolder } from "../../support/data_folder.ts";
import {
  countsOf,
  dateOfDay,
  interactionsOf,
  loadFolder,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
} from "../../support/load_folder.ts";
import { exportsOf, watchedStore } from "../../support/watched_store.ts";

const SERVE_FROM = ["index", "query"] as const;
const INTERACTIONS = ["Date Start", "Interaction", "Customers", "Topic"];

Deno.test("countByChannel, periods and topics", async (t) => {
  const files = {
    "customers.csv": "Customer_Id\n1\n2\n9007199254740991\n",
    "channels.csv": "Channel\nPost\n",
    "products.csv": csv(
      ["Month", "Product"],
      ["1-2020", "Sand"],
      ["2-2020", "Sand"],
      ["2-2020", "Lemon"],
    ),
    "interactions.csv": csv(
      INTERACTIONS,
      ["01/01/1900", "Email", "1", ""],
      ["31/12/2019 23:59:59", "Email", "1", ""],
      ["01/01/2020 00:00", "Email", "1", ""],
      ["31/01/2020 23:59:59", "Call", "1", ""],
      ["01/02/2020", "Call", "1", ""],
      ["29/02/2020 12:00", "Call", "1", "Stone"],
      ["31/12/2078 23:59:59", "Email", "1", ""],
      ["15/01/2020", "Email", "9007199254740991", ""],
      ["15/01/2020", "Email", "4", ""],
    ),
  };
  type Filter = Omit<CustomerQuestion, "customer_id" | "topics">;
  const cases: [
    name: string,
    customer_id: number,
    filter: Filter & { topic?: string },
    counts: [call: number, email: number, post: number] | null,
  ][] = [
    ["everything", 1, {}, [3, 4, 0]],
    ["a silent customer", 2, {}, [0, 0, 0]],
    ["a silent customer in a period", 2, { start_date: "2020-01-01" }, [
      0,
      0,
      0,
    ]],
    ["only in interactions", 4, {}, [0, 1, 0]],
    ["the largest id", 9007199254740991, {}, [0, 1, 0]],
    ["an unknown customer", 3, {}, null],
    ["an unknown customer in a period", 3, { start_date: "2020-01-01" }, null],
    ["beside the largest id", 9007199254740990, {}, null],
    ["from a day", 1, { start_date: "2020-01-01" }, [3, 2, 0]],
    ["to a day", 1, { end_date: "2020-01-01" }, [0, 3, 0]],
    ["to the day before", 1, { end_date: "2019-12-31" }, [0, 2, 0]],
    ["a day with its last second", 1, {
      start_date: "2020-01-31",
      end_date: "2020-01-31",
    }, [1, 0, 0]],
    ["a leap day", 1, {
      start_date: "2020-02-29",
      end_date: "2020-02-29",
    }, [1, 0, 0]],
    ["before all", 1, { end_date: "1899-12-31" }, [0, 0, 0]],
    ["the first day", 1, { end_date: "1900-01-01" }, [0, 1, 0]],
    ["from long before", 1, { start_date: "0001-01-01" }, [3, 4, 0]],
    ["the last day", 1, { start_date: "2078-12-31" }, [0, 1, 0]],
    ["after all", 1, { start_date: "2079-01-01" }, [0, 0, 0]],
    ["beyond 16 bits of days", 1, { start_date: "2079-06-06" }, [0, 0, 0]],
    ["long after", 1, { start_date: "9999-12-31" }, [0, 0, 0]],
    ["to long after", 1, { end_date: "9999-12-31" }, [3, 4, 0]],
    ["an impossible period", 1, {
      start_date: "2020-02-01",
      end_date: "2020-01-01",
    }, [0, 0, 0]],
    ["the month's topic", 1, { topic: "Sand" }, [2, 1, 0]],
    ["one of two topics", 1, { topic: "Lemon" }, [1, 0, 0]],
    ["its own topic", 1, { topic: "Stone" }, [1, 0, 0]],
    ["a topic in a period", 1, {
      topic: "Sand",
      start_date: "2020-01-31",
      end_date: "2020-01-31",
    }, [1, 0, 0]],
    ["a topic of an unknown customer", 3, { topic: "Sand" }, null],
  ];
  for (const serve_from of SERVE_FROM) {
    await using loaded = await loadFolder(files, { SERVE_FROM: serve_from });
    const { snapshot } = loaded;
    assertEquals(snapshot.channels, ["Call", "Email", "Post"]);
    for (const [name, customer_id, { topic, ...filter }, counts] of cases) {
      await t.step(`${serve_from}: ${name}`, async () => {
        const answer = await snapshot.countByChannel({
          customer_id,
          ...filter,
          ...topic && { topics: [topic] },
        });
        assertEquals(answer && Array.from(answer), counts);
      });
    }
  }
});

Deno.test("countByChannel, next to nothing loaded", async (t) => {
  for (const SERVE of SERVE_FROM) {
    const settings = { SERVE_FROM: SERVE };
    await t.step(`${SERVE}: headers alone`, async () => {
      await using loaded = await loadFolder({
        "channels.csv": "Channel,Aliases\n",
        "customers.csv": NO_CUSTOMERS,
        "interactions.csv": NO_INTERACTIONS,
        "products.csv": "Month,Product\n",
      }, settings);
      const { snapshot, report } = loaded;
      assertEquals(snapshot.channels, []);
      assertEquals(snapshot.topics, []);
      assertEquals(snapshot.row_counts, {
        customers: 0,
        interactions: 0,
        products: 0,
      });
      assertEquals(report.example_customer_id, null);
      assertEquals(await countsOf(snapshot, { customer_id: 1 }), null);
    });
    await t.step(`${SERVE}: customers without channels`, async () => {
      await using loaded = await loadFolder({
        "customers.csv": "Customer_Id\n7\n",
        "interactions.csv": NO_INTERACTIONS,
      }, settings);
      const { snapshot } = loaded;
      assertEquals(await countsOf(snapshot, { customer_id: 7 }), {});
      assertEquals(await countsOf(snapshot, { customer_id: 8 }), null);
    });
  }
});

Deno.test("countByChannel, channels named like columns of a table", async (t) => {
  const names = [
    "customer_id",
    "customer_id_1",
    "channel",
    "date_start",
    "topic_set",
    "count(*)",
    "CUSTOMERS",
    "null value",
    "10",
    "2",
  ];
  const more = Array.from({ length: 20 }, (_, i) => `c${10 + i}`);
  const cases: [serve_from: string, channels: string[]][] = [
    ["index", names],
    // DuckDB pivots on more than 20 values in another way.
    ["index", [...names, ...more]],
    ["query", [...names, ...more]],
  ];
  for (const [serve_from, channels] of cases) {
    await t.step(`${serve_from}: ${channels.length} channels`, async () => {
      await using loaded = await loadFolder({
        "customers.csv": "Customer_Id\n99\n",
        "interactions.csv": csv(
          INTERACTIONS,
          ...channels.map((
            channel,
            i,
          ) => ["01/01/2020", channel, `${i + 1}`, ""]),
          ["01/01/2020", "customer_id", "8", ""],
        ),
      }, { SERVE_FROM: serve_from });
      const { snapshot } = loaded;
      assertEquals(snapshot.channels, channels.toSorted());
      const none = Object.fromEntries(channels.map((name) => [name, 0]));
      for (const [i, channel] of channels.entries()) {
        const expected = { ...none, [channel]: 1 };
        if (i === 7) expected.customer_id = 1;
        assertEquals(
          await countsOf(snapshot, { customer_id: i + 1 }),
          expected,
        );
      }
      assertEquals(await countsOf(snapshot, { customer_id: 99 }), none);
    });
  }
});

Deno.test("countByChannel, names with characters that end a text elsewhere", async () => {
  const channels = ["a\0b", "a'b", 'a"b', "a\\b", "a$1b", "a--b", "a/*b", "a"];
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "channels.csv": csv(["Channel"], ["x\0y"], ["Post"]),
    "interactions.csv": csv(
      INTERACTIONS,
      ...channels.map((name, i) => ["01/01/2020", name, `${i + 1}`, name]),
    ),
  });
  for (const [i, name] of channels.entries()) {
    // A row with NUL may be set aside, but must not harm the others.
    if (name.includes("\0")) continue;
    assertEquals(
      await interactionsOf(loaded.snapshot, i + 1),
      [`2020-01-01 ${name}: ${name}`],
    );
  }
});

Deno.test("countByChannel, one question at a time or many at once: its own answer", async () => {
  const rows = Array.from(
    { length: 400 },
    (_, i) => Array(1 + i % 7).fill(["01/01/2020", "Email", `${i + 1}`, ""]),
  ).flat();
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions/1.csv": csv(INTERACTIONS, ...rows),
  }, { SERVE_FROM: "query" });
  const answers = await Promise.all(Array.from(
    { length: 400 },
    (_, i) =>
      loaded.snapshot.countByChannel({
        customer_id: i + 1,
        ...i % 2 && { start_date: "2020-01-01" },
      }),
  ));
  assertEquals(
    answers.map((counts) => counts?.[0]),
    answers.map((_, i) => 1 + i % 7),
  );
});

// One interaction of the property test, as it stands in the file.
interface Row {
  date: string;
  channel: string;
  customers: number[];
  topics: readonly string[];
}

Deno.test("countByChannel, random data and filters: the index and the query answer as a recount does", async () => {
  const channels = ["Email", "Call", "Bird"];
  const topics = ["Sand", "Lemon", "Stone"];
  const customers = fc.integer({ min: 1, max: 6 });
  // Days about the turns of months and years.
  const first_day = 43_828; // 2019-12-31
  const dates = fc.integer({ min: first_day - 3, max: first_day + 66 })
    .map(dateOfDay);
  const subset = fc.uniqueArray(fc.constantFrom(...topics), { maxLength: 2 });
  const row = fc.record({
    date: dates,
    channel: fc.constantFrom(...channels),
    customers: fc.uniqueArray(customers, { minLength: 1, maxLength: 3 }),
    topics: subset,
  });
  const data = fc.record({
    rows: fc.array(row, { maxLength: 60 }),
    known: fc.uniqueArray(customers, { maxLength: 4 }),
    products: fc.uniqueArray(
      fc.record({
        month: fc.constantFrom("2019-12", "2020-01", "2020-02"),
        product: fc.constantFrom(...topics),
      }),
      { selector: ({ month, product }) => month + product, maxLength: 5 },
    ),
  });
  const filter = fc.record({
    customer_id: fc.integer({ min: 1, max: 7 }),
    start_date: fc.option(dates, { nil: undefined }),
    end_date: fc.option(dates, { nil: undefined }),
    topic: fc.option(fc.constantFrom(...topics), { nil: undefined }),
  });
  const questions = fc.array(filter, { minLength: 40, maxLength: 40 });
  const serve_from = fc.constantFrom(...SERVE_FROM);

  await fc.assert(
    fc.asyncProperty(data, questions, serve_from, async (
      { rows, known, products },
      questions,
      serve_from,
    ) => {
      const files = {
        "customers.csv": csv(["id"], ...known.map((id) => [`${id}`])),
        "interactions/1.csv": csv(
          INTERACTIONS,
          ...rows.map(({ date, channel, customers, topics }) => [
            date,
            channel,
            customers.join(";"),
            topics.join(";"),
          ]),
        ),
        "products.csv": csv(
          ["Month", "Product"],
          ...products.map(({ month, product }) => [month, product]),
        ),
      };
      await using loaded = await loadFolder(files, { SERVE_FROM: serve_from });
      const { snapshot } = loaded;

      const topicsOf = ({ date, topics }: Row): readonly string[] =>
        topics.length > 0 ? topics : products
          .filter(({ month }) => date.startsWith(month))
          .map(({ product }) => product);
      for (const { topic, ...question } of questions) {
        const { customer_id, start_date = "", end_date = "9" } = question;
        const is_known = known.includes(customer_id) ||
          rows.some(({ customers }) => customers.includes(customer_id));
        const counted = rows.filter((row) =>
          row.customers.includes(customer_id) &&
          row.date >= start_date && row.date <= end_date &&
          (topic === undefined || topicsOf(row).includes(topic))
        );
        const expected = is_known
          ? Object.fromEntries(
            snapshot.channels.map((name) => [
              name,
              counted.filter(({ channel }) => channel === name).length,
            ]),
          )
          : null;
        // A topic that no row has is not known.
        if (topic && !snapshot.topics.includes(topic)) continue;
        const asked: CustomerQuestion = {
          ...question,
          topics: topic === undefined ? undefined : [topic],
        };
        assertEquals(await countsOf(snapshot, asked), expected);
      }
      const used = new Set(rows.map(({ channel }) => channel));
      assertEquals(
        snapshot.channels,
        channels.filter((name) => used.has(name)).sort(),
      );
    }),
    { numRuns: 10 },
  );
});

Deno.test("retain, a snapshot that is being closed answers until nobody retains it", async () => {
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": csv(INTERACTIONS, ["01/01/2020", "Email", "1", ""]),
  }, { SERVE_FROM: "query" });
  const { snapshot, store } = loaded;
  let closed = false;
  const first = snapshot.retain();
  const second = snapshot.retain();
  const closing = store.close().then(() => closed = true);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assertEquals(
    Array.from((await snapshot.countByChannel({ customer_id: 1 }))!),
    [1],
  );
  assertEquals(closed, false);
  second[Symbol.dispose]();
  await closing;
});

Deno.test("the database of every version is locked: the first, a refreshed and a reopened one", async () => {
  await using state = await dataFolder();
  await using watched = await watchedStore(exportsOf(1), {
    STATE_DIR: state.path,
  });
  const requireLocked = async () => {
    const { database } = watched.snapshot as DuckdbSnapshot;
    for (
      const [sql, refusal] of [
        ["set enable_external_access = true", "has been locked"],
        ["select * from read_csv('/etc/passwd')", "Permission Error"],
        [`copy (select 1) to '${state.path}/x.csv'`, "Permission Error"],
      ]
    ) await assertRejects(() => database.run(sql), Error, refusal);
  };
  await watched.next();
  await requireLocked();
  await watched.folder.write(exportsOf(2));
  await watched.next();
  await requireLocked();
  await watched.store.refreshes.rollback(watched.snapshot.data_version);
  await watched.next();
  assertEquals(watched.snapshot.row_counts.interactions, 1);
  await requireLocked();
});
