/** Interactions with an id of their own: which rows have one id, and what the last of them replaces. */

import { assertEquals } from "@std/assert";
import type { Files } from "../support/data_folder.ts";
import { loadFolder, loadTables } from "../support/load_folder.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { xlsx } from "../support/xlsx_files.ts";

const CUSTOMERS = `[customers]
files = "customers.csv"
id = { column = "Customer_Id", kind = "text" }
`;
const CALLS = `[[interactions]]
files = "calls.csv"
id = "id"
customer = { column = "who", separator = ";" }
time = "at"
channel = { value = "Call" }
skip_where = { state = ["Deleted"] }
`;

Deno.test("a customer whom only a replaced row names is no customer", async (t) => {
  const later: Readonly<Record<string, string>> = {
    corrected: "1,k1,2020-01-02,\n",
    "corrected, before a list": "1,k1;z9,2020-01-02,\n",
    deleted: "1,a1,2020-01-01,Deleted\n2,k1,2020-01-02,\n",
  };
  for (const [name, rows] of Object.entries(later)) {
    for (const replaced of ["a1", "a1;b2"]) {
      await t.step(`${name}, of ${replaced}`, async () => {
        await using loaded = await loadFolder({
          "customers.csv": "Customer_Id\nk1\nz9\n",
          "calls.csv":
            `id,who,at,state\n1,${replaced},2020-01-01,\n${rows}3,m5,2020-01-03,\n`,
          "tally.toml": CUSTOMERS + CALLS,
        });
        assertEquals(loaded.report.customers, 3);
        assertEquals(loaded.report.example_customer_id, "k1");
      });
    }
  }
});

Deno.test("a footer row with the id of an interaction replaces none", async (t) => {
  const rows = "1,k1,2020-01-01,\n2,k1,2020-01-02,\n3,z9,2020-01-03,\n";
  const footers: Readonly<Record<string, string>> = {
    "one like a count": "3,,,\n",
    "one like a row": "3,z9,2020-01-04,\n",
    "one that skip_where passes over as well": "3,,,Deleted\n",
  };
  for (const [name, footer] of Object.entries(footers)) {
    await t.step(name, async () => {
      await using loaded = await loadTables({
        "customers.csv": "Customer_Id\nk1\nz9\n",
        "calls.csv": `id,who,at,state\n${rows}${footer}`,
        "tally.toml": `${CUSTOMERS}${CALLS}footer_rows = 1\n`,
      });
      const { interactions, merged_interactions, date_range } = loaded.report;
      assertEquals([interactions, merged_interactions], [3, 0]);
      assertEquals(date_range?.last, "2020-01-03");
    });
  }
});

Deno.test("ids of interactions are trimmed and compared exactly", async () => {
  const cells = [
    "a b",
    "a  b",
    "A b",
    "a\u00a0b",
    "a\u200bb",
    "ab",
    "longer than ten",
    "longer  than ten",
    // Trimmed, these are above.
    " a b\u200b",
    " longer than ten ",
    "cafe\u0301",
    "caf\u00e9",
    // None, so that each row is an interaction of its own.
    "N/A",
    "N/A",
    "\u200b",
  ];
  await using loaded = await loadTables({
    "customers.csv": "Customer_Id\nk1\n",
    "calls.csv": `id,who,at,state\n${
      cells.map((cell) => `${cell},k1,2020-01-01,\n`).join("")
    }`,
    "tally.toml": CUSTOMERS + CALLS,
  });
  const { interactions, merged_interactions } = loaded.report;
  assertEquals([interactions, merged_interactions], [12, 3]);
});

/** Cells that a number which has been rounded is in, and those of a number that is whole. */
const IN_SHEET = `<sheetData>
<row r="1">${
  ["id", "who", "at", "state"].map((name) =>
    `<c t="inlineStr"><is><t>${name}</t></is></c>`
  ).join("")
}</row>${
  ["1.2345678901234567E+18", "1.2345678901234567E18", "1.23457E+11", "7"]
    .flatMap((number) => [number, number]).map((number, i) =>
      `<row r="${i + 2}"><c><v>${number}</v></c>${
        ["k1", `2020-01-0${i + 1}`].map((text) =>
          `<c t="inlineStr"><is><t>${text}</t></is></c>`
        ).join("")
      }</row>`
    ).join("")
}</sheetData>`;

Deno.test("rows whose id a spreadsheet has rounded are set aside, and are not merged", async (t) => {
  const in_text = [
    ["1.23457E+11", "1,23457E+11", "1.23457E11", "1E+11", "\u200b1E+11 "],
    ["123457000000", "1E11"],
  ];
  const cases: Readonly<
    Record<string, { files: Files; kept: number; rounded: string[] }>
  > = {
    "texts": {
      files: {
        "calls.csv": `id;who;at;state\n${
          in_text.flat().flatMap((id, i) => [
            `${id};k1;2020-01-0${i + 1};\n`,
            `${id};k1;2020-02-0${i + 1};\n`,
          ]).join("")
        }`,
      },
      kept: in_text[1].length,
      rounded: in_text[0].flatMap((id) => [id, id])
        .map((id) => id.replaceAll(/[\u200b ]/g, "")),
    },
    "numbers of a workbook": {
      files: { "calls.xlsx": xlsx({ calls: IN_SHEET }) },
      kept: 2,
      rounded: [
        "1.2345678901234567E+18",
        "1.2345678901234567E+18",
        "1.2345678901234567E18",
        "1.2345678901234567E18",
      ],
    },
    "numbers of Parquet": {
      files: await parquetFiles({
        "calls.parquet":
          `select id::double as id, 'k1' as who, '2020-01-01' as "at", '' as state
            from (values (12345678901234567), (12345678901234567), (123457000000), (123457000000)) as t(id)`,
      }),
      kept: 1,
      rounded: ["1.2345678901234568e+16", "1.2345678901234568e+16"],
    },
  };
  for (const [name, { files, kept, rounded }] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using loaded = await loadTables({
        "customers.csv": "Customer_Id\nk1\n",
        ...files,
        "tally.toml": CUSTOMERS + CALLS.replace("calls.csv", "calls.*"),
      }, { MAX_SET_ASIDE: "1" });
      const { interactions, merged_interactions, set_aside_listed } =
        loaded.report;
      assertEquals([interactions, merged_interactions], [kept, kept]);
      assertEquals(
        set_aside_listed.map(({ column, value, reason }) => [
          column,
          value,
          reason,
        ]),
        rounded.map((value) => [
          "activity",
          value,
          "an id that a spreadsheet has rounded; export it as text",
        ]),
      );
    });
  }
});
