/** Rows that stand for several interactions: every answer is that of as many rows. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Files } from "../support/data_folder.ts";
import { loadTables, refusalOf } from "../support/load_folder.ts";
import { openApp } from "../support/open_app.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const CUSTOMERS = "Customer_Id,Type,Mail\n1,Red,a\n2,Blue,b\n3,,c\n";
const COUNT = 'count = "n"\n';
const SOURCE = `[[interactions]]
files = "calls*"
time = "at"
channel = "how"
topic = "what"
`;

interface Row {
  readonly who: readonly number[];
  readonly day: number;
  readonly how: string;
  readonly what: string;
  readonly n: number;
}

const row: fc.Arbitrary<Row> = fc.record({
  who: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), {
    minLength: 1,
    maxLength: 3,
  }),
  day: fc.integer({ min: 1, max: 9 }),
  how: fc.constantFrom("Call", "Mail"),
  what: fc.constantFrom("", "Sand", "Sand;Sea"),
  n: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 7 })),
});

/** Files, and how their customers are found. */
interface Case {
  readonly files: readonly (readonly Row[])[];
  readonly customer: string;
  readonly whoOf: (id: number) => string;
}

const cases: fc.Arbitrary<Case> = fc.record({
  // Several overlap: what they share counts as often as in the one that has it most.
  files: fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 3,
  }),
  how: fc.constantFrom<Omit<Case, "files">>(
    { customer: '"who"', whoOf: String },
    {
      customer:
        '{ column = "who", separator = ";", match = "Mail", unmatched = "anonymous" }',
      whoOf: (id) => "?abcde"[id],
    },
  ),
}).map(({ files, how }) => ({ files, ...how }));

/** The files with the counts of the rows, or with each row as often. */
function folderOf(
  { files, customer, whoOf }: Case,
  counted: boolean,
): Files {
  const line = ({ who, day, how, what, n }: Row) =>
    `${who.map(whoOf).join(";")},2020-01-0${day},${how},${what},${n}\n`;
  return {
    "customers.csv": CUSTOMERS,
    "tally.toml": `${SOURCE}customer = ${customer}\n${counted ? COUNT : ""}`,
    ...Object.fromEntries(files.map((rows, i) => [
      `calls_${i}.csv`,
      "who,at,how,what,n\n" +
      rows.flatMap((row) =>
        counted ? [line(row)] : Array<string>(row.n).fill(line(row))
      ).join(""),
    ])),
  };
}

/** Every interaction, and what the report counts. */
async function loadedFrom(files: Files) {
  await using loaded = await loadTables(files);
  const { report, row_counts } = loaded;
  assertEquals(report.set_aside_listed, []);
  return {
    rows: await loaded.query(
      `select customer_id, channel::varchar as channel,
  date_start::varchar as time, topic_set
from interactions order by all`,
    ),
    by_customer: await loaded.query("from customer_channels order by all"),
    row_counts,
    channels: report.channels,
    duplicates: report.duplicate_interactions,
    merged: report.merged_interactions,
    anonymous: report.mapping?.anonymous_interactions,
    by_file: report.files.map((file) => file.interactions_merged),
  };
}

const RUNS = 25;
/** No run begins after this time. */
const PATIENCE_MS = 9_000;

Deno.test("rows with a count are as many rows, whatever else is said of them", async () => {
  const began = performance.now();
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      if (performance.now() - began > PATIENCE_MS) return;
      // A load without a row is refused; with counts, it has some.
      fc.pre(one.files.flat().some(({ n }) => n > 0));
      assertEquals(
        await loadedFrom(folderOf(one, true)),
        await loadedFrom(folderOf(one, false)),
      );
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});

Deno.test("every endpoint counts them, from memory and from queries", async (t) => {
  const rows: Row[] = [
    { who: [1, 2], day: 1, how: "Call", what: "Sand", n: 3 },
    { who: [2], day: 2, how: "Mail", what: "", n: 0 },
    { who: [3], day: 2, how: "Mail", what: "Sand;Sea", n: 500 },
    { who: [3], day: 3, how: "Call", what: "", n: 1 },
  ];
  const one: Case = { files: [rows], customer: '"who"', whoOf: String };
  const questions = [
    "interactions/1",
    "interactions/3?start_date=2020-01-02&topic=Sea",
    "interactions/3/timeline?interval=day",
    "interactions/3/topics",
    "customers/3",
    "customers?limit=10",
    "stats/interactions",
    "interactions",
    "interactions?start_date=2020-01-02",
    "interactions?format=csv",
    "dimensions",
    "metrics",
    "metrics/interactions?by=day,channel",
    "metrics/interactions?by=type&pivot=topic",
    "metrics/interactions?by=month&compare=previous_year",
    "metrics/customers?by=day&start_date=2020-01-01&end_date=2020-01-09",
  ];
  const answersOf = async (files: Files, SERVE_FROM: string) => {
    await using opened = await openApp(files, { SERVE_FROM });
    const { app, snapshot } = opened;
    const answers: string[] = [];
    for (const question of questions) {
      const answer = await app.request(`/api/v1/${question}`);
      const text = (await answer.text())
        .replaceAll(snapshot.data_version, "VERSION")
        .replaceAll(snapshot.report.loaded_at, "LOADED");
      answers.push(`${answer.status} ${text}`);
    }
    return answers;
  };
  for (const served_from of ["index", "query"]) {
    await t.step(served_from, async () => {
      const answers = await answersOf(folderOf(one, true), served_from);
      assertEquals(answers, await answersOf(folderOf(one, false), served_from));
      assertEquals(
        answers[0],
        '200 {"data":{"customer_id":1,"interactions":{"Call":3,"Mail":0}}}',
      );
      assertEquals(answers[6], '200 {"message":"Number of Rows","rows":507}');
    });
  }
});

/** What is read of rows with these cells as counts. */
async function read(cells: readonly string[], more: Files = {}) {
  const lines = cells.map((cell) => `1,2020-01-01,Call,,"${cell}"\n`);
  await using loaded = await loadTables({
    "customers.csv": CUSTOMERS,
    "calls.csv": `who,at,how,what,n\n${lines.join("")}`,
    "tally.toml": `${SOURCE}customer = "who"\n${COUNT}`,
    ...more,
  }, { MAX_SET_ASIDE: "1" });
  const { report } = loaded;
  const file = report.files.find(({ table }) => table === "interactions")!;
  return {
    interactions: report.interactions,
    passed_over: file.rows_passed_over,
    set_aside: report.set_aside_listed.map(({ column, value, reason }) =>
      `${column} ${value}: ${reason}`
    ),
  };
}

Deno.test("what a count may be", async (t) => {
  const good: [string, number][] = [
    ["1", 1],
    ["7", 7],
    [" 12 ", 12],
    ["12.0", 12],
    ["012", 12],
    ["３", 3],
    ["1000000", 1_000_000],
  ];
  for (const [cell, interactions] of good) {
    await t.step(cell, async () => {
      assertEquals(await read([cell]), {
        interactions,
        passed_over: 0,
        set_aside: [],
      });
    });
  }
  const numbers = [
    "-1",
    "1.5",
    "1,000",
    "1.000",
    "1e3",
    "x",
    "1000001",
    "99999999999999999999",
    "+2",
    "0x10",
  ];
  await t.step("others are set aside", async () => {
    const { set_aside, interactions } = await read([
      "1",
      "",
      "N/A",
      "#REF!",
      ...numbers,
    ]);
    assertEquals(interactions, 1);
    assertEquals(set_aside, [
      "count : no value",
      "count N/A: no value",
      "count #REF!: a formula whose result is an error",
      ...numbers.map((one) =>
        `count ${one}: not a whole number from 0 to 1000000`
      ),
    ]);
  });
  await t.step("0 is passed over", async () => {
    assertEquals(await read(["0", "0.0", "2"]), {
      interactions: 2,
      passed_over: 2,
      set_aside: [],
    });
  });
});

Deno.test("numbers of Parquet and of a spreadsheet", async () => {
  const columns = "1 as who, 'Call' as how, '' as what";
  const files = await parquetFiles({
    "calls.parquet":
      `select ${columns}, date '2020-01-01' as at, 2::bigint as n`,
    "calls_2.parquet":
      `select ${columns}, date '2021-01-01' as at, 3.0::double as n`,
  });
  const book = xlsx({
    calls: sheetOf(
      ["who", "at", "how", "what", "n"],
      [1, "2022-01-01", "Call", "", 4],
    ),
  });
  const { interactions, set_aside } = await read([], {
    ...files,
    "calls_3.xlsx": book,
  });
  assertEquals(set_aside, []);
  assertEquals(interactions, 2 + 3 + 4);
});

Deno.test("of rows with one id, the later one counts, as often as it says", async () => {
  const load = async (rows: string) => {
    await using loaded = await loadTables({
      "customers.csv": CUSTOMERS,
      "calls.csv": `who,at,how,what,n,id\n${rows}`,
      "tally.toml": `${SOURCE}customer = "who"\nid = "id"\n${COUNT}`,
    });
    const { interactions, merged_interactions } = loaded.report;
    return [interactions, merged_interactions];
  };
  const first = "1;2,2020-01-01,Call,,3,a\n";
  assertEquals(await load(`${first}1,2020-01-01,Call,,5,a\n`), [5, 6]);
  // One that did not take place after all.
  assertEquals(
    await load(`${first}1,2020-01-01,Call,,0,a\n3,2020-01-01,Call,,2,b\n`),
    [2, 6],
  );
});

Deno.test("counts that add up to too much are refused, before a row is repeated", async () => {
  const row = "1,2020-01-01,Call,,1000000\n";
  assertEquals(
    await refusalOf({
      "customers.csv": CUSTOMERS,
      "calls_1.csv": `who,at,how,what,n\n${row.repeat(60)}`,
      "calls_2.csv": `who,at,how,what,n\n${row.repeat(41)}`,
      "tally.toml": `${SOURCE}customer = "who"\n${COUNT}`,
    }),
    "calls_1.csv: its rows stand for 60000000 interactions by their count; all files together may have 100000000. Check that count of interactions[1] in tally.toml names the right column.",
  );
});
