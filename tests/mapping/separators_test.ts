/** The separator of tally.toml splits the cells with topics and aliases, and nothing else does. */

import { assertEquals } from "@std/assert";
import type { IdKind } from "../../db/mapping/mapping.ts";
import { loadTables } from "../support/load_folder.ts";

/** A separator, and a name that it does not split. */
const SEPARATORS: readonly (readonly [separator: string, whole: string])[] = [
  [";", "a,b"],
  [",", "a;b"],
  ["; ", "a;b"],
  [";#", "a;b#c"],
  [";;", "a;b"],
  [" ; ", "a; b"],
  [",;", "a,b;c"],
];

for (const [separator, whole] of SEPARATORS) {
  Deno.test(`${JSON.stringify(separator)} splits topics and aliases`, async () => {
    const says = JSON.stringify(separator);
    await using loaded = await loadTables({
      "customers.csv": "Customer_Id\n1\n",
      "calls.csv": [
        "who\tat\thow\twhat",
        `1\t2020-01-01\tTel\tSand${separator}${whole}${separator}Sea`,
        `1\t2020-01-02\t${whole}\t`,
        "1\t2020-01-03\tCall\tSea",
      ].join("\n"),
      "channels.csv": `name\tsame\nCall\tTel${separator}${whole}`,
      "tally.toml": `[[interactions]]
files = "calls.csv"
customer = "who"
time = "at"
channel = "how"
topic = { column = "what", separator = ${says} }

[channels]
files = "channels.csv"
channel = "name"
aliases = { column = "same", separator = ${says} }
`,
    });
    assertEquals(loaded.topics, ["Sand", "Sea", whole]);
    assertEquals(loaded.channels, ["Call"]);
  });
}

/** A separator, and cells that it is in and does not split. */
const WHOLE: readonly (readonly [separator: string, cells: string[]])[] = [
  ["/", ["N/A", " n/a ", "#N/A", "#DIV/0!"]],
  ["-", ["-", "--"]],
  ["a", ["NaN", "(blank)", "N/a"]],
  ["(", ["(null)"]],
  ["\\", ["\\N"]],
  ["#", ["#REF!"]],
  ["Ü", ["#ÜBERLAUF!"]],
];
const KINDS: readonly IdKind[] = ["integer", "text"];

for (const kind of KINDS) {
  for (const [separator, cells] of WHOLE) {
    Deno.test(`${JSON.stringify(separator)} splits no sign of no value and no error, with ids of the kind ${kind}`, async () => {
      const says = JSON.stringify(separator);
      const column = (name: string) =>
        `{ column = "${name}", separator = ${says} }`;
      const rows = cells.flatMap((cell) => [
        `1\t2020-01-01\tCall\t${cell}\t1`,
        `${cell}\t2020-01-02\tCall\tSurf\t1`,
        `1\t2020-01-03\tCall\tSurf\t${cell}`,
      ]);
      const source = (files: string, customer: string) =>
        `[[interactions]]
files = "${files}"
customer = ${customer}
time = "at"
channel = "how"
topic = ${column("what")}
`;
      await using loaded = await loadTables({
        "people.csv": "id\tmail\n1\t1\n",
        "calls.csv": [
          "who\tat\thow\twhat\tmail",
          ...rows,
          `1${separator}1\t2020-02-01\tCall\tSky${separator}Sun\t1`,
        ].join("\n"),
        "mails.csv": ["who\tat\thow\twhat\tmail", ...rows].join("\n"),
        "names.csv": [
          "name\tsame",
          ...cells.filter((cell) => !cell.includes("#"))
            .map((cell) => `Call\t${cell}`),
        ].join("\n"),
        "tally.toml": `${source("calls.csv", column("who"))}
${
          source(
            "mails.csv",
            `{ column = "mail", match = "mail", separator = ${says} }`,
          )
        }
[customers]
files = "people.csv"
id = { column = "id", kind = "${kind}" }

[channels]
files = "names.csv"
channel = "name"
aliases = ${column("same")}
`,
      });
      assertEquals(loaded.topics, ["Sky", "Sun", "Surf"]);
      assertEquals(loaded.channels, ["Call"]);
      assertEquals(loaded.report.customers, 1);
      const errors = cells.filter((cell) => cell.includes("#")).length;
      const set_aside = loaded.report.set_aside_listed.map((
        { file, column, reason },
      ) => `${file}, ${column}: ${reason}`);
      const expected = (file: string, column: string) => [
        ...Array(cells.length - errors).fill(
          `${file}, ${column}: no customer`,
        ),
        ...Array(errors).fill(
          `${file}, ${column}: a formula whose result is an error`,
        ),
        ...Array(errors).fill(
          `${file}, topic: a formula whose result is an error`,
        ),
      ];
      assertEquals(
        set_aside.sort(),
        [
          ...expected("calls.csv", "customers"),
          ...expected("mails.csv", "customers"),
        ].sort(),
      );
    });
  }
}

const EMPTY = "a list of customers with an empty element";
/** What `customer` has besides its column, a cell, and why its row is set aside. */
const EMPTY_ELEMENTS: readonly (readonly [
  kind: IdKind,
  more: string,
  cell: string,
  reason: string,
])[] = [
  ["text", "", "C-1;", EMPTY],
  ["text", "", "C-1;N/A", EMPTY],
  ["text", "", "C-1; - ;C-2", EMPTY],
  ["text", "", ";", EMPTY],
  ["text", "", "N/A", "no customer"],
  ["text", "", "C-1;a\u0007b", "an id with a control character"],
  ["integer", "", "1;N/A", EMPTY],
  ["salesforce", "", "001D000000IqhSL;-", EMPTY],
  ["text", ", prefix = 'crm-'", "C-1;N/A", EMPTY],
  ["text", ", pattern = '(C-.)'", "C-1;N/A", EMPTY],
  ["text", ", pattern = '(.*)!'", "C-1!;N/A!", "no value"],
];

for (const [kind, more, cell, reason] of EMPTY_ELEMENTS) {
  Deno.test(`the customers ${JSON.stringify(cell)} of the kind ${kind}${more}: ${reason}`, async () => {
    const kept = kind === "salesforce" ? "001D000000IqhSL" : "9";
    const source = (file: string, says: string) =>
      `[[interactions]]
files = "${file}"
customer = { column = "who"${says} }
time = "at"
channel = "how"
`;
    await using loaded = await loadTables({
      "calls.csv": `who,at,how\n"${cell}",2020-01-01,Call\n`,
      "mails.csv": `who,at,how\n${kept},2020-01-01,Mail\n`,
      "tally.toml": `customers = false
ids = "${kind}"
${source("calls.csv", `, separator = ";"${more}`)}
${source("mails.csv", "")}`,
    }, { MAX_SET_ASIDE: "1" });
    assertEquals(
      loaded.report.set_aside_listed.map((row) => [row.value, row.reason]),
      [[cell, reason]],
    );
  });
}

Deno.test("an id that is too long with its prefix is no row without a customer", async () => {
  const ids = ["a".repeat(127), `${"a".repeat(126)}é`];
  await using loaded = await loadTables({
    "calls.csv": [
      "who,at,how",
      ...["a".repeat(124), ...ids].map((id) => `${id},2020-01-01,Call`),
    ].join("\n"),
    "tally.toml": `customers = false
ids = "text"

[[interactions]]
files = "calls.csv"
customer = { column = "who", prefix = "crm-" }
time = "at"
channel = "how"
`,
  }, { MAX_SET_ASIDE: "1" });
  assertEquals(
    loaded.report.set_aside_listed.map((row) => [row.value, row.reason]),
    ids.map((
      id,
    ) => [id, "an id of more than 128 characters, with its prefix"]),
  );
});
