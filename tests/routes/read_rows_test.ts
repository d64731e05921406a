/** How many rows an answer may have: a pivot with too many cells is refused before it is made. */

import { assertEquals, assertRejects } from "@std/assert";
import { HTTPException } from "hono/http-exception";
import type { MetricsQuestion, Question } from "../../db/model/questions.ts";
import { readAll, rowsAtMost } from "../../routes/read_rows.ts";
import { csv, type Files } from "../support/data_folder.ts";
import { openApp } from "../support/open_app.ts";

const CUSTOMERS = 5_000;

/** Every customer has one interaction, and one of 1,000 owners; ten are Red. */
const FILES: Files = {
  "tally.toml": `
[customers]
files = "people.csv"
id = "Id"
type = "Type"
attributes = { owner = "Owner" }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = "Who"
`,
  "people.csv": csv(
    ["Id", "Type", "Owner"],
    ...Array.from({ length: CUSTOMERS }, (_, i) => [
      `${i + 1}`,
      i < 10 ? "Red" : "Blue",
      `owner ${i % 1_000}`,
    ]),
  ),
  "calls.csv": csv(
    ["When", "Kind", "Who"],
    ...Array.from({ length: CUSTOMERS }, (_, i) => [
      "2020-01-31",
      "Call",
      `${i + 1}`,
    ]),
  ),
};

Deno.test("a pivot whose rows are too many is refused when these are counted", async (t) => {
  await using opened = await openApp(FILES);
  const { snapshot } = opened;
  const { signal } = new AbortController();
  const pivot: MetricsQuestion = {
    kind: "metrics",
    by: ["customer_id"],
    pivot: "owner",
    filter: {},
  };
  /** The answer, and the pivots that were asked for it. */
  const read = async (question: MetricsQuestion, most_rows?: number) => {
    const asked: (string | undefined)[] = [];
    const watched = {
      ...snapshot,
      ask(question: Question, run: Parameters<typeof snapshot.ask>[1]) {
        asked.push((question as MetricsQuestion).pivot);
        return snapshot.ask(question, run);
      },
    };
    using run = await snapshot.begin({ signal, ends_at_ms: Infinity });
    const answer = readAll(watched, { reads: [{ question, most_rows }], run });
    return { answer: await answer.catch((error) => error), asked };
  };

  await t.step("by its bytes", async () => {
    const { answer, asked } = await read(pivot);
    await assertRejects(
      () => Promise.reject(answer),
      HTTPException,
      "The answer has more than 32 MiB.",
    );
    assertEquals(asked, [undefined]);
  });

  await t.step("by its rows", async () => {
    const { answer, asked } = await read(pivot, 1_000);
    await assertRejects(
      () => Promise.reject(answer),
      HTTPException,
      "The answer has more than 1000 rows.",
    );
    assertEquals(asked, [undefined]);
  });

  await t.step("and else answered", async () => {
    const red = { ...pivot, filter: { types: ["Red"] } };
    const { answer: [rows], asked } = await read(red);
    assertEquals(rows.cells.length, 10);
    assertEquals(rows.cells[9].slice(0, 2), [10, 0]);
    assertEquals(rows.cells[0].at(-1), 1);
    assertEquals(asked, [undefined, "owner"]);
  });

  await t.step("a small one is not counted first", async () => {
    const { answer: [rows], asked } = await read({ ...pivot, by: ["type"] });
    assertEquals(rows.cells.length, 2);
    assertEquals(asked, ["owner"]);
  });
});

Deno.test("no answer has more rows than it may have at most, of each kind of question", async (t) => {
  // One customer, and nobody who is known on the last of these days.
  await using opened = await openApp({
    "tally.toml": `
[customers]
files = "people.csv"
id = "Id"
type = "Type"

[[interactions]]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = { column = "Who", match = "Id", unmatched = "anonymous" }
topic = "About"
`,
    "people.csv": "Id,Type\n1,Red\n",
    "calls.csv": csv(
      ["When", "Kind", "Who", "About"],
      ["1900-01-01", "Call", "1", "Sand"],
      ["2020-02-01", "Call", "1", "Lemon"],
      ["2020-02-02", "Call", "1", ""],
      ["2078-12-31", "Call", "9", ""],
    ),
  });
  const { snapshot } = opened;
  const { signal } = new AbortController();
  const sort = { by: "customer_id", descending: false } as const;
  const whole = { start_date: "1900-01-01", end_date: "2078-12-31" };
  const timeline = { kind: "timeline", customer_id: 1, filter: whole } as const;
  const questions: readonly [Question, rows: number, most: number][] = [
    [{ ...timeline, interval: "day" }, 65_379, 65_379],
    [{ ...timeline, interval: "week" }, 9_340, 9_340],
    [{ ...timeline, interval: "month" }, 2_148, 2_148],
    [{ ...timeline, interval: "quarter" }, 716, 716],
    [{ ...timeline, interval: "year" }, 179, 179],
    [{ kind: "topics", customer_id: 1, filter: {} }, 3, 3],
    [{ kind: "metrics", by: [], filter: {} }, 1, 1],
    [{ kind: "metrics", by: ["customer_id"], filter: {} }, 2, 2],
    [{ kind: "metrics", by: ["type", "weekday"], filter: {} }, 4, 14],
    [{ kind: "reached", by: ["month", "topic"], filter: {} }, 3, 6_444],
    [{ kind: "customer_count", by: ["type"], filter: {} }, 1, 2],
    [{ kind: "interactions", filter: {}, sort }, 1, 1],
    [{ kind: "customers", filter: {} }, 1, 1],
  ];
  for (const [question, rows, most] of questions) {
    await t.step(JSON.stringify(question), async () => {
      using run = await snapshot.begin({ signal, ends_at_ms: Infinity });
      const reads = [{ question, most_rows: Infinity }];
      const [{ cells }] = await readAll(snapshot, { reads, run });
      assertEquals([cells.length, rowsAtMost(snapshot, question)], [
        rows,
        most,
      ]);
    });
  }
});
