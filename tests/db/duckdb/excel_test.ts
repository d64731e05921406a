/** Excel: workbooks of other makers load by the rules of every export, and nothing in one takes the process down. */

import { assert, assertEquals } from "@std/assert";
import writeExcelFile from "write-excel-file/node";
import { csv, type Files } from "../../support/data_folder.ts";
import {
  interactionsOf,
  loadFolder,
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  refusalOf,
} from "../../support/load_folder.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";

const fixture = (name: string) =>
  Deno.readFile(new URL(`../../fixtures/${name}`, import.meta.url));
const read = (name: string) =>
  Deno.readTextFile(new URL(`../../../data/${name}`, import.meta.url));

type Cell = string | number | boolean | Date | null;

/** A workbook written by write-excel-file: dates as dates, numbers as numbers. */
async function written(
  sheets: Readonly<Record<string, readonly (readonly Cell[])[]>>,
): Promise<Uint8Array> {
  const data = Object.values(sheets).map((rows) =>
    rows.map((row) =>
      row.map((value) =>
        value === null
          ? null
          : value instanceof Date
          ? { value, type: Date, format: "dd/mm/yyyy hh:mm" }
          : { value, type: Object(value).constructor }
      )
    )
  );
  const file = await writeExcelFile(
    Object.keys(sheets).map((sheet, i) => ({ sheet, data: data[i] })),
  );
  return await file.toBuffer();
}

Deno.test("LibreOffice, a workbook with a sheet a table: dates, ids, gaps and errors", async () => {
  await using tables = await loadTables({
    "crm.xlsx": await fixture("crm.xlsx"),
  });
  const { report } = tables;
  assertEquals(
    report.files.map((
      { file, table, rows_read, rows_kept, encoding },
    ) => [file, table, rows_read, rows_kept, encoding]),
    [
      ["crm.xlsx, sheet products", "products", 2, 2, null],
      ["crm.xlsx, sheet Customers", "customers", 6, 5, null],
      ["crm.xlsx, sheet external_interactions", "interactions", 10, 6, null],
    ],
  );
  assertEquals(report.ignored, [
    { file: "crm.xlsx, sheet channels", reason: "a hidden sheet" },
    { file: "crm.xlsx, sheet Notes", reason: "not the name of a table" },
  ]);
  assertEquals(
    report.set_aside_listed.map((
      { file, line, column, value, reason },
    ) => [file.slice("crm.xlsx, sheet ".length), line, column, value, reason]),
    [
      [
        "Customers",
        8,
        "customer_id",
        "4.5",
        "not a customer id from 1 to 9007199254740991",
      ],
      [
        "external_interactions",
        9,
        "interaction",
        "#N/A",
        "a formula whose result is an error",
      ],
      [
        "external_interactions",
        10,
        "customers",
        "#DIV/0!",
        "a formula whose result is an error",
      ],
      [
        "external_interactions",
        11,
        "date_start",
        "2019",
        "not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59",
      ],
      // LibreOffice says 60 for 1900-02-28, which is 1900-02-29 to Excel.
      [
        "external_interactions",
        12,
        "date_start",
        "1900-02-29 00:00:00",
        "no such day or time",
      ],
    ],
  );
  assertEquals(
    await tables.query(
      "select customer_id::varchar as id, occupation, type from customers order by customer_id",
    ),
    [
      { id: "1", occupation: "Jedi", type: "Red" },
      { id: "2", occupation: "Zoë & Söhne", type: "Blue" },
      { id: "3", occupation: "two lines", type: "Red" },
      { id: "4", occupation: "Batman", type: "Blue" },
      { id: "1000000000000000", occupation: null, type: null },
    ],
  );
  assertEquals(
    (await tables.query(
      "select customer_id || ' ' || channel || ' ' || date_start as text from interactions",
    )).map(({ text }) => text),
    [
      "1 Call 2019-10-04 09:00:00",
      "1 Email 2019-10-04 09:07:00",
      "1 Email 2019-10-05 10:30:00",
      "2 Call 1900-03-01 00:00:00",
      "2 Email 2019-10-05 10:30:00",
      "2 Email 2019-10-06 00:00:00",
      "4 Bird 2019-10-07 23:59:59",
    ],
  );
  assertEquals(tables.topics, ["Sand", "Wood"]);
});

Deno.test("LibreOffice, dates from 1904", async () => {
  await using opened = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "dates_1904.xlsx": await fixture("dates_1904.xlsx"),
  });
  assertEquals(await interactionsOf(opened.snapshot, 1), [
    "1904-01-02 Call",
    "2019-10-04 Email",
  ]);
});

Deno.test("Excel, serial numbers in texts count from 1904 where the workbook does", async () => {
  const book = xlsx({
    interactions: sheetOf(
      ["Date Start", "Interaction", "Customers"],
      ["42280.3798611111", "Email", 1],
      [" 42280 ", "Email", 1],
      ["42005", "Email", 1],
      [42280, "Email", 1],
      ["2019-10-05", "Email", 1],
    ),
    // The second may be April 2005.
    products: sheetOf(["Date", "Product"], ["42312", "Sand"], [
      "42005",
      "Wood",
    ]),
  }, { properties: `date1904="1"` });
  await using opened = await loadFolder(
    { "customers.csv": NO_CUSTOMERS, "crm.xlsx": book },
    { MAX_SET_ASIDE: "1" },
  );
  assertEquals(await interactionsOf(opened.snapshot, 1), [
    "2019-01-02 Email",
    "2019-10-04 Email",
    "2019-10-04 Email",
    "2019-10-04 Email",
    "2019-10-05 Email",
  ]);
  const { set_aside_listed, months_without_topic } = opened.report;
  assertEquals(
    set_aside_listed.map(({ line, value }) => [line, value]),
    [[3, "42005"]],
  );
  assertEquals(months_without_topic, ["2019-01", "2019-10"]);
});

Deno.test("Excel, serial numbers in texts count from 1904 whatever tally.toml says of times", async (t) => {
  const sheet = sheetOf(
    ["who", "at"],
    [1, "43831"],
    [1, 43831],
    [1, "43831.5"],
    [1, 43831.5],
  );
  for (
    const [says, noon] of [
      ["", "12:00:00"],
      [', format = "excel"', "12:00:00"],
      [', zone = "Europe/Berlin"', "11:00:00"],
      [', format = "excel", zone = "Europe/Berlin"', "11:00:00"],
    ]
  ) {
    await t.step(`time = { column = "at"${says} }`, async () => {
      await using loaded = await loadTables({
        "tally.toml": `
customers = false
[[interactions]]
files = "calls.xlsx"
customer = "who"
channel = { value = "Call" }
time = { column = "at"${says} }
`,
        "calls.xlsx": xlsx({ calls: sheet }, { properties: `date1904="1"` }),
      }, { TIME_ZONE: "UTC" });
      const rows = await loaded.query(
        "select date_start::varchar as text from interactions order by text",
      );
      assertEquals(rows.map(({ text }) => text), [
        "2024-01-02 00:00:00",
        "2024-01-02 00:00:00",
        `2024-01-02 ${noon}`,
        `2024-01-02 ${noon}`,
      ]);
    });
  }
});

Deno.test("LibreOffice, headers that do not fit, and .xls: refused", async () => {
  assertEquals(
    await refusalOf({
      "interactions.csv": NO_INTERACTIONS,
      "customers_1.xlsx": await fixture("customers_merged.xlsx"),
      "customers_2.xlsx": await fixture("customers_title.xlsx"),
    }),
    [
      "customers_1.xlsx, sheet Sheet1, line 1: merged cells in the header, A1:B1. Unmerge them and name each column in one cell of one row.",
      "customers_2.xlsx, sheet Sheet1, line 1: a title above the header, which is in line 3. Delete what is above the header.",
    ].join("\n"),
  );
  assertEquals(
    await refusalOf({
      "interactions.csv": NO_INTERACTIONS,
      "customers.xls": await fixture("customers_title.xls"),
    }),
    "customers.xls: an old .xls workbook, or one with a password: neither can be read. Save it as .xlsx without a password, or as CSV.",
  );
});

Deno.test("write-excel-file, the same answers as from CSV", async () => {
  const rows: [date: string, channel: string, customers: string][] = [
    ["2019-10-04 09:00:00", "Email", "1"],
    ["2019-10-05 23:59:59", "email", "2;1"],
    ["05/11/2019 07:30", "Call", "3"],
    ["2019-12-31", 'Zoë, "the" bird', "1"],
    ["31/02/2020", "Call", "1"],
    ["2020-01-01", "", "1"],
    ["2020-01-01", "Call", "1,234"],
  ];
  const header = ["Date Start", "Interaction", "Customers"];
  const as_cell = (text: string): Cell =>
    text === ""
      ? null
      : /^\d+$/.test(text)
      ? Number(text)
      : /^\d{4}-\d\d-\d\d( |$)/.test(text)
      ? new Date(`${text.slice(0, 10)}T${text.slice(11) || "00:00:00"}Z`)
      : text;
  const customers = csv(["Customer_Id"], ["1"], ["2"], ["3"]);
  const load = (interactions: Files) =>
    loadTables({ "customers.csv": customers, ...interactions });
  await using from_csv = await load({
    "interactions.csv": csv(header, ...rows),
  });
  await using from_xlsx = await load({
    "interactions.xlsx": await written({
      "Sheet 1": [header, ...rows.map((row) => row.map(as_cell))],
    }),
  });
  const all =
    "select customer_id, channel::varchar as channel, date_start::varchar as date_start, topic_set from interactions";
  assertEquals(await from_xlsx.query(all), await from_csv.query(all));
  assertEquals(
    from_xlsx.report.set_aside_listed.map((
      { line, column, value, reason },
    ) => [line, column, value, reason]),
    from_csv.report.set_aside_listed.map((
      { line, column, value, reason },
    ) => [line, column, value, reason]),
  );
  assertEquals(from_xlsx.report.interactions, 5);
});

Deno.test("write-excel-file, the sample in one workbook: the sample's answers", async () => {
  const names = [
    "channels",
    "customers",
    "external_interactions",
    "products_of_discussion",
  ];
  const files: Record<string, string> = {};
  const sheets: Record<string, string[][]> = {};
  for (const name of names) {
    const text = await read(`${name}.csv`);
    files[`${name}.csv`] = text;
    // Quoted cells of the sample have commas in them, and nothing worse.
    sheets[name] = text.trimEnd().split(/\r?\n/).map((line) =>
      Array.from(
        line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g),
        ([, quoted, plain]) => quoted ?? plain,
      )
    );
  }
  await using from_csv = await loadTables(files);
  await using from_xlsx = await loadTables({
    "sample.xlsx": await written(sheets),
  });
  const sum = ({ report }: typeof from_csv) => ({
    rows: report.files.map((
      { table, rows_read, rows_kept },
    ) => [table, rows_read, rows_kept]),
    interactions: report.interactions,
    customers: report.customers,
  });
  assertEquals(sum(from_xlsx), sum(from_csv));
  for (const table of ["customers", "interactions", "customer_channels"]) {
    assertEquals(
      await from_xlsx.query(`select columns(*)::varchar from ${table}`),
      await from_csv.query(`select columns(*)::varchar from ${table}`),
    );
  }
});

Deno.test("Excel, several sheets of a table are parts: equal rows in two of them count twice", async () => {
  const header = ["Date", "Event", "Customer"];
  const sheet = sheetOf(header, ["2019-10-04", "Call", 1]);
  const customers = { "customers.csv": "Customer_Id\n1\n" };
  await using parts = await loadTables({
    ...customers,
    "crm.xlsx": xlsx({
      interactions_a: sheet,
      interactions_1: sheet,
      interactions_2: sheet,
    }),
  });
  assertEquals(parts.report.interactions, 2);
  await using exports = await loadTables({
    ...customers,
    "a.xlsx": xlsx({ interactions: sheet }),
    "b.xlsx": xlsx({ interactions: sheet }),
  });
  assertEquals(exports.report.interactions, 1);
  assertEquals(exports.report.merged_interactions, 1);
});

Deno.test("Excel, the version of the data is that of the workbook's bytes and tables", async () => {
  const book = xlsx({
    customers: sheetOf(["id"], [1]),
    interactions: sheetOf(["Date", "Event", "Customer"]),
  });
  await using one = await loadTables({ "a.xlsx": book });
  await using renamed = await loadTables({ "b.xlsx": book });
  assertEquals(one.report.data_version, renamed.report.data_version);
  await using other = await loadTables({
    "a.xlsx": xlsx({
      customers: sheetOf(["id"], [2]),
      interactions: sheetOf(["Date", "Event", "Customer"]),
    }),
  });
  assert(other.report.data_version !== one.report.data_version);
});

Deno.test("Excel, a table that is missing: told how it may come", async () => {
  assertEquals(
    (await refusalOf({ "crm.xlsx": xlsx({ customers: sheetOf(["id"]) }) }))
      .replace(/^\S+/, "…"),
    "… has no file of interactions. Put interactions.csv (or .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx, or a workbook with a sheet interactions) there; a header alone counts.",
  );
});

Deno.test("Excel, one column, empty in some rows: the rows keep their numbers", async () => {
  await using tables = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS,
    "channels.xlsx": xlsx({
      channels: sheetOf(["Channel", "Note"], ["Call"], [null, "x"], [], [
        "Email",
      ], ["-", "y"]),
    }),
  });
  assertEquals(tables.channels, ["Call", "Email"]);
  assertEquals(
    tables.report.set_aside_listed.map((
      { line, column, value, reason },
    ) => [line, column, value, reason]),
    [[3, "channel", "", "no value"], [6, "channel", "-", "no value"]],
  );
});

Deno.test("Excel, too many rows that break a rule: refused by sheet and row", async () => {
  const bad = Array.from({ length: 6 }, () => ["x"]);
  assertEquals(
    await refusalOf({
      "interactions.csv": NO_INTERACTIONS,
      "crm.xlsx": xlsx({ customers: sheetOf([], ["id"], [], ...bad) }),
    }),
    'crm.xlsx, sheet customers, line 4: all 6 rows are set aside, which leaves no customer: 6 rows, customer_id "x" in line 4: not a customer id from 1 to 9007199254740991. Mend the rows, or check that the right columns have these names.',
  );
});
