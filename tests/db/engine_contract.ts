/** What every engine must do, whatever is behind it: run by the tests of each. */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import type {
  BuildOptions,
  CompareOptions,
  Engine,
  EngineSnapshot,
} from "../../db/engine.ts";
import { StoreError } from "../../db/model/problems.ts";
import type { Cell, Question } from "../../db/model/questions.ts";
import {
  type DataFolder,
  dataFolder,
  type Files,
  namesIn,
} from "../support/data_folder.ts";
import { NO_INTERACTIONS, type Settings } from "../support/load_folder.ts";
import { stageFolder } from "../support/stage_folder.ts";

/** An engine for a test, that keeps versions. */
export interface EngineUnderTest extends AsyncDisposable {
  readonly engine: Engine;
}

const FILES: Files = {
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n2,Sith,Blue\n",
  "interactions.csv": NO_INTERACTIONS +
    "01/01/2020,Call,1\n02/01/2020,Email,1\n03/02/2020,Call,1;3\nnever,Call,1\n",
  "products.csv": "Month,Product\n1-2020,Sand\n",
};
/** Other than FILES: customer 2 has gone, 4 has come, an email is a letter. */
const NEXT: Files = {
  ...FILES,
  "customers.csv": "Customer_Id,Occupation,Type\n1,Jedi,Red\n4,Sith,Green\n",
  "interactions.csv": NO_INTERACTIONS +
    "01/01/2020,Call,1\n02/01/2020,Letter,1\n03/02/2020,Call,1;3\n",
};

/** Each kind of question, and the rows that answer it of FILES. */
const QUESTIONS: [Question, Cell[][]][] = [
  [{ kind: "metrics", by: ["channel"], filter: {} }, [["Call", 3], [
    "Email",
    1,
  ]]],
  [{ kind: "metrics", by: ["topic"], filter: {} }, [["Sand", 2], [null, 2]]],
  [
    { kind: "metrics", by: ["type"], pivot: "channel", filter: {} },
    [["Red", 2, 1, 3], [null, 1, 0, 1]],
  ],
  [{
    kind: "interactions",
    filter: {},
    sort: { by: "total", descending: true },
  }, [
    [1, "Jedi", "Red", 2, 1, 3],
    [3, null, null, 1, 0, 1],
    [2, "Sith", "Blue", 0, 0, 0],
  ]],
  [
    { kind: "timeline", customer_id: 1, interval: "month", filter: {} },
    [["2020-01", 1, 1, 2], ["2020-02", 1, 0, 1]],
  ],
  [
    { kind: "topics", customer_id: 1, filter: { channels: ["Call"] } },
    [["Sand", 1, 1], [null, 1, 1]],
  ],
  [{ kind: "customers", filter: {}, prefix: "jed" }, [[
    1,
    "Jedi",
    "Red",
    "customers",
    "2020-01-01",
    "2020-02-03",
    2,
    1,
    3,
  ]]],
  [{ kind: "reached", by: [], filter: { channels: ["Call"] } }, [[2]]],
  [{ kind: "customer_count", by: ["type"], filter: {} }, [
    ["Blue", 1],
    ["Red", 1],
    [null, 1],
  ]],
];

/** Customers with attributes, of which the second is other than the first. */
const ATTRIBUTES = (attributes: string): Files => ({
  "tally.toml": `[customers]
files = "people.csv"
id = "Id"
type = "Type"
attributes = { ${attributes} }

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = "Who"
`,
  "people.csv":
    "Id,Type,Country,Owner\n1,Red,Chile,Ann\n2,Blue,peru,Bob\n3,,Peru,\n",
  "calls.csv":
    "When,Kind,Who\n2020-01-01,Call,1\n2020-01-02,Mail,1\n2020-02-03,Call,2\n2020-02-04,Call,4\n",
});
const ATTRIBUTE_QUESTIONS: [Question, Cell[][]][] = [
  [
    { kind: "metrics", by: ["country"], filter: {} },
    [["Chile", 2], ["Peru", 1], [null, 1]],
  ],
  [
    {
      kind: "metrics",
      by: ["month"],
      pivot: "owner",
      filter: { country: ["Chile", null] },
    },
    [["2020-01", 2, 0, 0, 2], ["2020-02", 0, 0, 1, 1]],
  ],
  [
    { kind: "customer_count", by: ["country"], filter: {} },
    [["Chile", 1], ["Peru", 2], [null, 1]],
  ],
  [
    { kind: "reached", by: ["country"], filter: { channels: ["Call"] } },
    [["Chile", 1], ["Peru", 1], [null, 1]],
  ],
  [
    { kind: "customers", filter: { country: ["Peru"] } },
    [
      ["2", null, "Blue", "Peru", "Bob", "customers"],
      ["3", null, null, "Peru", null, "customers"],
    ],
  ],
];

/** Half of the rows of FILES are set aside otherwise. */
const SETTINGS: Settings = { MAX_SET_ASIDE: "0.5" };

/** Of work that nothing slows or ends. */
const ALONE: CompareOptions = {
  pace: () => Promise.resolve(),
  signal: new AbortController().signal,
};

async function rowsOf(
  snapshot: EngineSnapshot,
  question: Question,
): Promise<Cell[][]> {
  const { signal } = new AbortController();
  using run = await snapshot.begin({ signal, ends_at_ms: Infinity });
  const rows: Cell[][] = [];
  for await (const batch of snapshot.ask(question, run).batches) {
    for (const row of batch) rows.push([...row]);
  }
  return rows;
}

async function answersOf(snapshot: EngineSnapshot): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const [question] of QUESTIONS) {
    const rows = await rowsOf(snapshot, question);
    const recalled = snapshot.recall(question);
    if (recalled) assertEquals(recalled, rows);
    answers.push(rows);
  }
  return answers;
}

/** Declares the tests of an engine; `makeEngine` makes one that keeps its versions in no other's place. */
export function testEngine(
  name: string,
  makeEngine: (settings: Settings) => Promise<EngineUnderTest>,
): void {
  let built = 0;

  /** Builds a snapshot of `files` in a folder of its own below `work`. */
  async function build(
    engine: Engine,
    work: DataFolder,
    files: Files,
    options: Partial<BuildOptions> = {},
  ): Promise<EngineSnapshot> {
    await using data = await dataFolder(files);
    const number = ++built;
    await using exports = await stageFolder(`${work.path}/exports-${number}`, {
      DATA_DIR: data.path,
      ...SETTINGS,
    });
    const folder = `${work.path}/${number}`;
    await Deno.mkdir(folder);
    return await engine.build(exports, { ...optionsIn(folder), ...options });
  }

  const test = (what: string, fn: (t: Deno.TestContext) => Promise<void>) =>
    Deno.test(`${name}, ${what}`, fn);

  test("a snapshot answers every kind of question", async (t) => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    const snapshot = await build(made.engine, work, FILES);
    await t.step("what is known of it", () => {
      assertEquals(snapshot.channels, ["Call", "Email"]);
      assertEquals(snapshot.topics, ["Sand"]);
      assertEquals(snapshot.row_counts, {
        customers: 2,
        interactions: 4,
        products: 1,
      });
      assertEquals(snapshot.report, snapshot.loaded.report);
      assertEquals(snapshot.report.orphan_customers, 1);
      assertEquals(
        snapshot.report.set_aside_listed.map(({ file, line, value }) =>
          `${file} ${line} ${value}`
        ),
        ["interactions.csv 5 never"],
      );
    });
    for (const [question, rows] of QUESTIONS) {
      await t.step(JSON.stringify(question), async () => {
        assertEquals(await rowsOf(snapshot, question), rows);
        const { text } = await snapshot.explain(question);
        assert(/select|pivot|from/i.test(text), text);
      });
    }
    await t.step("one customer", async () => {
      const count = async (
        customer_id: number,
        rest: { start_date?: string; topics?: string[] } = {},
      ) => {
        const counts = await snapshot.countByChannel({ customer_id, ...rest });
        return counts && Array.from(counts);
      };
      assertEquals(await count(1), [2, 1]);
      assertEquals(await count(1, { start_date: "2020-02-01" }), [1, 0]);
      assertEquals(
        await count(1, { topics: ["Sand"] }),
        [1, 1],
      );
      assertEquals([await count(2), await count(3)], [[0, 0], [1, 0]]);
      assertEquals(await count(4), null);
    });
    await snapshot.close();
  });

  test("what cannot be built leaves nothing behind", async (t) => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    await t.step("refused", async () => {
      const error = await assertRejects(
        () => build(made.engine, work, { ...FILES, "customers.csv": "Name\n" }),
        StoreError,
      );
      assertEquals(error.kind, "refused");
    });
    await t.step("ended", async () => {
      const reason = new Error("the process ends");
      for (const after of ["before it began", "in the middle"]) {
        const ended = new AbortController();
        if (after === "before it began") ended.abort(reason);
        const error = await assertRejects(() =>
          build(made.engine, work, FILES, {
            signal: ended.signal,
            progress: () => {
              ended.abort(reason);
              ended.signal.throwIfAborted();
            },
          })
        );
        assertEquals(error, reason, after);
      }
    });
    // The next one is built as if nothing had been.
    const snapshot = await build(made.engine, work, FILES);
    await snapshot.close();
    await snapshot.close();
  });

  test("too much set aside: refused when strict, else reported", async () => {
    await using work = await dataFolder();
    await using made = await makeEngine({ MAX_SET_ASIDE: "0.1" });
    const bad = {
      ...FILES,
      "customers.csv": `Customer_Id\n1\n${"x\n".repeat(9)}`,
    };
    await assertRejects(() => build(made.engine, work, bad), StoreError);
    const snapshot = await build(made.engine, work, bad, { strict: false });
    assertEquals(snapshot.report.too_many_set_aside.length, 1);
    await snapshot.close();
  });

  test("compare: what is new and what has gone", async () => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    const previous = await build(made.engine, work, FILES);
    const next = await build(made.engine, work, NEXT);
    const changes = await made.engine.compare(previous, next, ALONE);
    assertEquals(changes, {
      previous_data_version: previous.data_version,
      tables: {
        customers: { rows_added: 1, rows_gone: 1 },
        interactions: { rows_added: 1, rows_gone: 1 },
        products: { rows_added: 0, rows_gone: 0 },
      },
      new_customers: 1,
      vanished_customers: 1,
      new_channels: ["Letter"],
      vanished_channels: ["Email"],
      new_types: ["Green"],
      vanished_types: ["Blue"],
      new_topics: [],
      vanished_topics: [],
      new_attributes: [],
      vanished_attributes: [],
      date_range: { first: "2020-01-01", last: "2020-02-03" },
      previous_date_range: { first: "2020-01-01", last: "2020-02-03" },
    });
    await previous.close();
    await next.close();
  });

  test("attributes of customers: asked, compared, kept", async (t) => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    const { engine } = made;
    await engine.open();
    const archive = engine.archive!;
    const both = ATTRIBUTES('country = "Country", owner = "Owner"');
    const snapshot = await build(engine, work, both);
    const isAnswered = async (snapshot: EngineSnapshot) => {
      for (const [question, rows] of ATTRIBUTE_QUESTIONS) {
        const answer = await rowsOf(snapshot, question);
        const shown = question.kind === "customers"
          ? answer.map((row) => [`${row[0]}`, ...row.slice(1, 6)])
          : answer;
        assertEquals(shown, rows, JSON.stringify(question));
      }
    };
    await t.step("asked", () => isAnswered(snapshot));
    await t.step("compared with a version of others", async () => {
      const next = await build(
        engine,
        work,
        ATTRIBUTES('country = "Country", manager = "Owner"'),
      );
      assertNotEquals(next.data_version, snapshot.data_version);
      const changes = await engine.compare(snapshot, next, ALONE);
      assertEquals(changes.new_attributes, ["manager"]);
      assertEquals(changes.vanished_attributes, ["owner"]);
      assertEquals(changes.tables.customers, { rows_added: 2, rows_gone: 2 });
      await next.close();
    });
    await t.step("reopened", async () => {
      await archive.keep(snapshot);
      const [kept] = await archive.kept();
      const folder = `${work.path}/reopened`;
      await Deno.mkdir(folder);
      const again = await archive.reopen(kept, optionsIn(folder));
      assertEquals(again.loaded, snapshot.loaded);
      assertEquals(again.dimensions, snapshot.dimensions);
      assertEquals(again.names, snapshot.names);
      await isAnswered(again);
      await again.close();
    });
    await snapshot.close();
  });

  test("close waits for whoever retains", async () => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    const snapshot = await build(made.engine, work, FILES);
    const retained = snapshot.retain();
    let closed = false;
    const closing = snapshot.close().then(() => void (closed = true));
    assertEquals(await answersOf(snapshot), QUESTIONS.map(([, rows]) => rows));
    assertEquals(closed, false);
    retained[Symbol.dispose]();
    await closing;
  });

  test("the archive: kept, reopened with the same answers, dropped", async (t) => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    const { engine } = made;
    await engine.open();
    const archive = engine.archive!;
    assertEquals(await archive.kept(), []);
    const snapshot = await build(engine, work, FILES);
    const next = await build(engine, work, NEXT);
    await archive.keep(snapshot);
    await archive.keep(next);
    const expected = await answersOf(snapshot);
    await snapshot.close();
    await next.close();

    await t.step("the latest first, with what their loads left", async () => {
      const kept = await archive.kept();
      assertEquals(
        kept.map(({ loaded }) => loaded),
        [next.loaded, snapshot.loaded],
      );
    });
    await t.step("reopened", async () => {
      const [, first] = await archive.kept();
      const folder = `${work.path}/reopened`;
      await Deno.mkdir(folder);
      const again = await archive.reopen(first, optionsIn(folder));
      assertEquals(again.loaded, snapshot.loaded);
      assertEquals(again.data_version, snapshot.data_version);
      assertEquals(await answersOf(again), expected);
      assertEquals(
        Array.from((await again.countByChannel({ customer_id: 1 }))!),
        [2, 1],
      );
      await again.close();
    });
    await t.step("dropped", async () => {
      const [latest, first] = await archive.kept();
      await archive.drop(latest.name);
      assertEquals(await archive.kept(), [first]);
    });
    await t.step("which versions are discarded", async () => {
      assertEquals(await archive.discarded(), []);
      await archive.markDiscarded([next.data_version]);
      assertEquals(await archive.discarded(), [next.data_version]);
      await archive.markDiscarded([]);
      assertEquals(await archive.discarded(), []);
    });
  });

  test("what a build writes lies in its own folder", async () => {
    await using work = await dataFolder();
    await using made = await makeEngine(SETTINGS);
    const snapshot = await build(made.engine, work, FILES);
    const number = String(built);
    assertEquals(await namesIn(work.path), [number]);
    await snapshot.close();
    await Deno.remove(`${work.path}/${number}`, { recursive: true });
  });
}

function optionsIn(folder: string): BuildOptions {
  return {
    folder,
    strict: true,
    beside_readers: false,
    progress: () => {},
    signal: ALONE.signal,
  };
}
