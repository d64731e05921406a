/** Many rows under a mapping: the lines of rows set aside are exact, and the accounts add up. */

import { DuckDBResult } from "@duckdb/node-api";
import { assert, assertEquals } from "@std/assert";
import { loadTables } from "../support/load_folder.ts";

const ROWS = 300_000;
const HEADER_ROW = 4;
const FOOTER_ROWS = 3;

Deno.test("300,000 rows with a zone, a match, conditions and a footer keep their lines", async () => {
  const customers = ["Number,Phone"];
  for (let i = 1; i <= 1_000; i++) customers.push(`${i},+49 30 ${10_000 + i}`);
  const lines = ["Log", "", "of everything", "To,At,Status"];
  const wrong: { line: number; column: string; value: string }[] = [];
  let skipped = 0;
  let kept = 0;
  for (let i = 0; i < ROWS; i++) {
    const line = lines.length + 1;
    const phone = `+4930${10_001 + i * 7 % 1_000}`;
    const minute = String(i % 60).padStart(2, "0");
    const time = `${1 + i % 12}/${1 + i % 28}/2024 ${1 + i % 12}:${minute} PM`;
    if (i % 9_973 === 5) {
      wrong.push({ line, column: "customers", value: "+1" });
      lines.push(`+1,${time},ok`);
    } else if (i % 9_967 === 7) {
      wrong.push({ line, column: "date_start", value: "13/1/2024 1:00 PM" });
      lines.push(`${phone},13/1/2024 1:00 PM,ok`);
    } else if (i % 101 === 3) {
      skipped++;
      lines.push(`${phone},never,Spam`);
    } else {
      kept++;
      lines.push(`${phone},${time},ok`);
    }
  }
  for (let i = 0; i < FOOTER_ROWS; i++) lines.push(`Total,${i},`);

  await using loaded = await loadTables({
    "people.csv": `${customers.join("\n")}\n`,
    "calls.csv": `${lines.join("\n")}\n`,
    "tally.toml": `
[customers]
files = "people.csv"
id = "Number"

[[interactions]]
files = "calls.csv"
header_row = ${HEADER_ROW}
footer_rows = ${FOOTER_ROWS}
customer = { column = "To", match = "Phone", match_as = "phone" }
time = { column = "At", format = "%m/%d/%Y %I:%M %p", zone = "America/New_York" }
channel = { value = "Call" }
skip_where = { Status = ["spam"] }
`,
  }, {
    TIME_ZONE: "Europe/Berlin",
    DUCKDB_THREADS: "4",
    SET_ASIDE_KEPT: "1000",
  });
  const { files, set_aside_listed, interactions } = loaded.report;
  assertEquals(
    set_aside_listed.map(({ line, column, value }) => ({
      line,
      column,
      value: value!,
    })),
    wrong,
  );
  assertEquals(interactions, kept);
  const calls = files.find(({ table }) => table === "interactions")!;
  const { rows_read, rows_kept, rows_set_aside, rows_passed_over } = calls;
  assertEquals({ rows_read, rows_kept, rows_set_aside, rows_passed_over }, {
    rows_read: ROWS - skipped,
    rows_kept: kept,
    rows_set_aside: wrong.length,
    rows_passed_over: skipped + FOOTER_ROWS,
  });
  assertEquals(calls.source, "interactions[1]");
  assertEquals(
    calls.rows_unmatched,
    wrong.filter(({ column }) => column === "customers").length,
  );
  assertEquals(
    calls.columns!.map(({ column, header, read_as }) => [
      column,
      header,
      read_as,
    ]),
    [
      [
        "date_start",
        "At",
        "in the form %m/%d/%Y %I:%M %p, in America/New_York",
      ],
      ["interaction", null, 'the value "Call"'],
      ["customers", "To", "matched with Phone of customers as phone"],
    ],
  );
});

Deno.test("of a column of notes by which rows are passed over, few cells are in memory at a time", async () => {
  const long = "\ufdfa".repeat(60);
  const spellings = [
    ...[
      "spam",
      "SPAM",
      "\uff53\uff50\uff41\uff4d",
      "s\u200bpam",
      "\u00a0 Spam",
    ],
    ...["s\u0301pam", "\u015aPAM", "=\u0338", "\u2260"],
    ...["\u0421\u041f\u0410\u041c", "\u0441\u043f\u0430\u043c\u00ad", long],
  ];
  const notes = Array.from(
    { length: 3_000 },
    // The first are longer than any of the values, the others are not.
    (_, i) => i % 2 === 0 ? `f\u00fcr ${i} Tage` : "\u0434".repeat(1 + i),
  );
  const { getRowObjectsJS } = DuckDBResult.prototype;
  let most = 0;
  DuckDBResult.prototype.getRowObjectsJS = async function () {
    const rows = await getRowObjectsJS.call(this);
    most = Math.max(most, rows.length);
    return rows;
  };
  try {
    for (
      const [values, passed_over] of [
        ['"spam"', 5],
        ['"Spam", "\u015bpam", "\u2260"', 9],
        ['"\u0441\u043f\u0430\u043c"', 2],
        [`"spam", "${long}"`, 6],
      ] as const
    ) {
      await using loaded = await loadTables({
        "calls.csv": `Who,At,Notes\n${
          [...spellings, ...notes].map((note) => `1,2024-01-01,${note}\n`)
            .join("")
        }`,
        "tally.toml": `
customers = false

[[interactions]]
files = "calls.csv"
customer = "Who"
time = "At"
channel = { value = "Call" }
skip_where = { Notes = [${values}] }
`,
      });
      const [calls] = loaded.report.files;
      assertEquals(calls.rows_passed_over, passed_over, values);
    }
  } finally {
    DuckDBResult.prototype.getRowObjectsJS = getRowObjectsJS;
  }
  assert(most > 0 && most <= 1_000, String(most));
});
