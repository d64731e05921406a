/** What was easily misread: in every format it is read rightly, set aside with the reason, or refused. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { csv, type Files } from "../../support/data_folder.ts";
import {
  interactionsOf,
  loadFolder,
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  refusalOf,
  type Settings,
} from "../../support/load_folder.ts";
import { parquetFiles } from "../../support/parquet_files.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";

type Rows = readonly (readonly string[])[];

const HEADER = ["Date Start", "Interaction", "Customers"];
const ALL = { MAX_SET_ASIDE: "1" };

/** A table as a file of each format: CSV, TSV, texts in a workbook, Parquet strings. */
async function inEveryFormat(
  table: string,
  rows: Rows,
): Promise<{ format: string; files: Files; file: string }[]> {
  const [header, ...body] = rows;
  const values = body.map((row) =>
    `(${row.map((cell) => `'${cell.replaceAll("'", "''")}'`).join(", ")})`
  );
  const names = header.map((name) => `"${name}"`).join(", ");
  const { parquet } = await parquetFiles({
    parquet: `select * from (values ${values.join(", ")}) as t(${names})`,
  });
  const sheet = xlsx({ [table]: sheetOf(...rows) });
  const tsv = rows.map((row) => `${row.join("\t")}\n`).join("");
  return [
    {
      format: "csv",
      files: { [`${table}.csv`]: csv(...rows) },
      file: `${table}.csv`,
    },
    {
      format: "tsv",
      files: { [`${table}.tsv`]: tsv },
      file: `${table}.tsv`,
    },
    {
      format: "xlsx",
      files: { [`${table}.xlsx`]: sheet },
      file: `${table}.xlsx, sheet ${table}`,
    },
    {
      format: "parquet",
      files: { [`${table}.parquet`]: parquet },
      file: `${table}.parquet`,
    },
  ];
}

/** The interactions of `rows` in every format: what is kept and set aside is the same. */
async function checkInteractions(
  rows: Rows,
  { kept, set_aside = [], settings = {}, skip = [] }: {
    /** Interactions by customer. */
    readonly kept: Readonly<Record<number, readonly string[] | null>>;
    readonly set_aside?: readonly string[];
    readonly settings?: Settings;
    readonly skip?: readonly string[];
  },
): Promise<void> {
  const made = await inEveryFormat("interactions", [HEADER, ...rows]);
  for (const { format, files } of made) {
    if (skip.includes(format)) continue;
    await using loaded = await loadFolder(
      { "customers.csv": NO_CUSTOMERS, ...files },
      { ...ALL, ...settings },
    );
    for (const [id, expected] of Object.entries(kept)) {
      assertEquals(
        await interactionsOf(loaded.snapshot, Number(id)),
        expected,
        `${format}, customer ${id}`,
      );
    }
    assertEquals(
      loaded.report.set_aside_listed.map(({ column, value, reason }) =>
        `${column} ${value}: ${reason}`
      ),
      set_aside,
      format,
    );
  }
}

const GROUPED =
  "ambiguous: one number with grouped digits, or several ids; write ids without grouping, and separate several by ;";
const DECIMAL =
  "ambiguous: one number with a decimal comma, or several ids; separate several by ;";
const DAY = "2019-10-04";

Deno.test("grouped digits are ambiguous in ids and lists of them", async () => {
  await checkInteractions([
    [DAY, "Email", "1.000"],
    [DAY, "Email", "1,23,456"],
    [DAY, "Email", "1,234"],
    [DAY, "Email", "12.345.678"],
    [DAY, "Email", "7;1.000"],
    [DAY, "Email", "12.0"],
    [DAY, "Email", "1, 2"],
    [DAY, "Email", "1,2,3"],
    [DAY, "Email", "12,1234"],
  ], {
    kept: {
      1: [`${DAY} Email`, `${DAY} Email`],
      2: [`${DAY} Email`, `${DAY} Email`],
      3: [`${DAY} Email`],
      7: null,
      12: [`${DAY} Email`, `${DAY} Email`],
      23: null,
      456: null,
      1000: null,
      1234: [`${DAY} Email`],
    },
    set_aside: [
      `customers 1.000: ${GROUPED}`,
      `customers 1,23,456: ${GROUPED}`,
      `customers 1,234: ${GROUPED}`,
      `customers 12.345.678: ${GROUPED}`,
      `customers 7;1.000: ${GROUPED}`,
    ],
  });
});

Deno.test("a comma before two digits: a decimal comma only where the delimiter is ; or tab", async () => {
  for (
    const [format, delimiter, is_list] of [
      ["csv", ",", true],
      ["csv", ";", false],
      ["csv", "\t", false],
      ["tsv", "\t", false],
      ["csv", "|", true],
    ] as const
  ) {
    const text = [HEADER, [DAY, "Email", '"12,50"'], [DAY, "Email", '"1,2"']]
      .map((cells) => `${cells.join(delimiter)}\n`).join("");
    await using loaded = await loadFolder(
      { "customers.csv": NO_CUSTOMERS, [`interactions.${format}`]: text },
      ALL,
    );
    assertEquals(
      loaded.report.set_aside_listed.map(({ value, reason }) => [
        value,
        reason,
      ]),
      is_list ? [] : [["12,50", DECIMAL]],
      delimiter,
    );
    assertEquals(loaded.report.customers, is_list ? 4 : 2, delimiter);
  }
  await checkInteractions([[DAY, "Email", "12,50"]], {
    skip: ["tsv"],
    kept: { 12: [`${DAY} Email`], 50: [`${DAY} Email`] },
  });
});

Deno.test("a customer record whose id has grouped digits does not replace another", async () => {
  const made = await inEveryFormat("customers", [
    ["Customer_Id", "Type"],
    ["1", "Red"],
    ["1.000", "Blue"],
    ["2,000", "Blue"],
    ["C-12", "Blue"],
    ["007", "Blue"],
  ]);
  for (const { format, files } of made) {
    await using loaded = await loadTables({
      ...files,
      "interactions.csv": NO_INTERACTIONS,
    }, ALL);
    assertEquals(
      await loaded.query(
        "select customer_id::integer as id, type from customers",
      ),
      [{ id: 1, type: "Red" }],
      format,
    );
    assertEquals(
      loaded.report.set_aside_listed.map(({ reason }) => reason),
      [
        GROUPED,
        GROUPED,
        "an id with letters; ids are whole numbers, such as 12",
        "an id with leading zeros; ids are whole numbers, without them",
      ],
      format,
    );
  }
});

Deno.test("a Parquet decimal writes all digits of its scale, and is no grouped number", async () => {
  const { parquet } = await parquetFiles({
    parquet:
      "select '2019-10-04' as \"date\", 'Email' as channel, 12::decimal(10, 3) as customer",
  });
  await using loaded = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions.parquet": parquet,
  });
  assertEquals(loaded.report.example_customer_id, 12);
});

Deno.test("a number of Parquet that is not whole is no grouped number, as an id or among customers", async () => {
  const reason = "not a customer id from 1 to 9007199254740991";
  for (const type of ["decimal(10, 3)", "decimal(9, 4)", "double", "float"]) {
    const numbers =
      `(select unnest([7, 12.5, 12.375, 123.125, 0.125])::${type} as id)`;
    const { customers, interactions } = await parquetFiles({
      customers: `select id as customer_id from ${numbers}`,
      interactions:
        `select '2019-10-04' as "date", 'Email' as channel, id as customer from ${numbers}`,
    });
    await using loaded = await loadTables({
      "customers.parquet": customers,
      "interactions.parquet": interactions,
    }, ALL);
    assertEquals(
      loaded.report.set_aside_listed.map(({ column, value, reason }) =>
        `${column} ${Number(value)}: ${reason}`
      ),
      ["customer_id", "customers"].flatMap((column) =>
        [12.5, 12.375, 123.125, 0.125].map((id) => `${column} ${id}: ${reason}`)
      ),
      type,
    );
    assertEquals(loaded.report.interactions, 1);
  }
});

Deno.test("a date order that a file disproves refuses it", async (t) => {
  const days = Array.from({ length: 13 }, (_, i) => `10/${i + 1}/2019`);
  const rows = [HEADER, ...days.map((day) => [day, "Email", "1"])];
  for (
    const { format, files, file } of await inEveryFormat("interactions", rows)
  ) {
    await t.step(format, async () => {
      const folder = { "customers.csv": NO_CUSTOMERS, ...files };
      assertEquals(
        await refusalOf(folder, ALL),
        `${file}, line 14: DATE_ORDER=DMY cannot be right for this file: 1 of its dates, such as date_start "10/13/2019", fit only M/D/YYYY, and none fits only D/M/YYYY. Set DATE_ORDER=MDY.`,
      );
      await using loaded = await loadTables(folder, { DATE_ORDER: "MDY" });
      assertEquals(loaded.report.date_range, {
        first: "2019-10-01",
        last: "2019-10-13",
      });
      assertEquals(loaded.report.files[1].date_order, {
        order: "MDY",
        only_this: 1,
        only_other: 0,
      });
    });
  }
  const in_zones: [name: string, zone: string][] = [
    ["with an offset", " -05:00"],
    ["in a zone of tally.toml", ""],
  ];
  for (const [name, zone] of in_zones) {
    await t.step(`what is written decides, ${name}`, async () => {
      const folder = (...dates: string[]) => ({
        "customers.csv": NO_CUSTOMERS,
        "interactions.csv": csv(
          HEADER,
          ...dates.map((date) => [`${date}${zone}`, "Email", "1"]),
        ),
        ...zone === "" && {
          "tally.toml": `[interactions]
files = "interactions.csv"
time = { column = "${HEADER[0]}", zone = "America/Bogota" }
channel = "${HEADER[1]}"
customer = "${HEADER[2]}"
`,
        },
      });
      const IN_UTC = { ...ALL, TIME_ZONE: "UTC" };
      // In UTC, this is the 13th.
      assertMatch(
        await refusalOf(
          folder("12/01/2024 23:30", "01/25/2024 10:00"),
          IN_UTC,
        ),
        /DATE_ORDER=DMY cannot be right for this file/,
      );
      // In UTC, this is the 1st of the next month.
      await using loaded = await loadTables(
        folder("31/01/2024 23:30", "01/25/2024 10:00", "03/04/2024 10:00"),
        IN_UTC,
      );
      const { date_order, date_forms } = loaded.report.files[1];
      assertEquals(date_order, { order: "DMY", only_this: 1, only_other: 1 });
      assertEquals(date_forms, [{ form: "D/M/YYYY", rows: 2 }]);
    });
  }
  await t.step("both kinds: a warning with both counts", async () => {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": csv(
        ...rows,
        ["14/10/2019", "Email", "1"],
        ["15/10/2019", "Email", "1"],
      ),
    });
    assertEquals(
      loaded.report.warnings.find(({ kind }) => kind === "date_orders"),
      {
        kind: "date_orders",
        count: 1,
        text:
          "dates of interactions.csv that fit only M/D/YYYY and are set aside: 1 (2 fit only D/M/YYYY)",
      },
    );
  });
  await t.step("another file proves the order", async () => {
    const refusal = await refusalOf({
      "customers.csv": NO_CUSTOMERS,
      "interactions_1.csv": csv(HEADER, ["31/12/2019", "Email", "1"]),
      "interactions_2.csv": csv(...rows),
    }, ALL);
    assertStringIncludes(
      refusal,
      "interactions_1.csv has dates that fit only D/M/YYYY: export this file with dates as D/M/YYYY or YYYY-MM-DD.",
    );
  });
});

Deno.test("a date order that the months of products disprove", async () => {
  const months = ["10/01/2019", "11/01/2019", "12/01/2019"];
  const rows = [["Date", "Product"], ...months.map((day) => [day, "Sand"])];
  for (
    const { format, files, file } of await inEveryFormat("products", rows)
  ) {
    const folder = {
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": NO_INTERACTIONS,
      ...files,
    };
    assertEquals(
      await refusalOf(folder),
      `${file}: DATE_ORDER=DMY is hardly right for this file: as M/D/YYYY each of its 3 dates, such as date "12/01/2019", is the first of a month, and as D/M/YYYY all are in January. Set DATE_ORDER=MDY.`,
      format,
    );
    await using loaded = await loadTables(folder, { DATE_ORDER: "MDY" });
    assertEquals(
      await loaded.query("select month::varchar as m from products order by m"),
      [{ m: "2019-10-01" }, { m: "2019-11-01" }, { m: "2019-12-01" }],
    );
  }
  for (
    const kept of [
      ["01/01/2019", "01/01/2020"],
      ["10/01/2019", "10/02/2019"],
      ["10/01/2019"],
      ["13/01/2019", "10/01/2019", "11/01/2019"],
      ["01/10/2019", "01/11/2019", "01/12/2019"],
    ]
  ) {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": NO_INTERACTIONS,
      "products.csv": csv(
        ["Date", "Product"],
        ...kept.map((day) => [day, "Sand"]),
      ),
    });
    assertEquals(loaded.report.files[0].rows_kept, kept.length);
  }
});

Deno.test("a column of a sheet with dates of the spreadsheet and texts: a warning, in either order", async () => {
  const sheet = sheetOf(
    HEADER,
    [43_475, "Email", "1"],
    [43_506, "Email", "1"],
    ["13/01/2019", "Email", "1"],
  );
  for (const DATE_ORDER of ["DMY", "MDY"]) {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      "interactions.xlsx": xlsx({ interactions: sheet }),
    }, { DATE_ORDER });
    assertEquals(
      loaded.report.warnings.find(({ kind }) => kind === "mixed_dates"),
      {
        kind: "mixed_dates",
        count: 3,
        text:
          "times of interactions.xlsx, sheet interactions of two kinds: 3 (2 dates of the spreadsheet and 1 texts such as 31/12/2019; a spreadsheet program that expects the other order of day and month may have swapped them in the former; export again, and do not open the file before it is delivered)",
      },
      DATE_ORDER,
    );
  }
});

Deno.test("spreadsheet errors set their row aside, in every column that is used", async () => {
  const errors = (
    "#N/A #REF! #NAME? #DIV/0! #VALUE! #NUM! #NULL! #SPILL! #CALC! #FIELD!" +
    " #BLOCKED! #CONNECT! #UNKNOWN! #BUSY! #EXTERNAL! #GETTING_DATA" +
    " #NV #WERT! #BEZUG! #ÜBERLAUF! #ZAHL! #VALEUR! #NOMBRE! #NOM? #NUL!" +
    " #N/D #VALORE! #RIF! #NOME? #¡VALOR! #¡REF! #¿NOMBRE? #NÚM!" +
    " #N/B #WAARDE! #DEEL/0! #I/T #VÆRDI! #SAKNAS! #N/D! #DĚLENÍ_NULOU!" +
    " #NENÍ_K_DISPOZICI #NEDOSTUPNÝ #HIÁNYZIK #YOK #BAŞV! #Н/Д #ДЕЛ/0! #ИМЯ?" +
    " #Δ/Υ #ΤΙΜΗ!"
  ).split(" ");
  const reason = "a formula whose result is an error";
  // Nothing but the sign is that of an error.
  const hashtags = (
    "#SALE #Sale! #12 #12! #! #? #_! # #über! #привет! #促销! #N/a #NVA" +
    " #SALE!! ##REF! #REF!A SALE! #A-B! #🐦!"
  ).split(" ");
  await checkInteractions(
    hashtags.map((hashtag, i) => [DAY, hashtag, String(i + 1)]),
    {
      kept: Object.fromEntries(
        hashtags.map((hashtag, i) => [i + 1, [`${DAY} ${hashtag}`]]),
      ),
    },
  );
  await checkInteractions([
    [DAY, "Email", "1"],
    ...errors.map((error) => [DAY, error, "1"]),
    ["#REF!", "Email", "1"],
    [DAY, "Email", "#N/A"],
  ], {
    kept: { 1: [`${DAY} Email`] },
    set_aside: [
      ...errors.map((error) => `interaction ${error}: ${reason}`),
      `date_start #REF!: ${reason}`,
      `customers #N/A: ${reason}`,
    ],
  });
  const table = async (name: string, rows: Rows) => {
    for (const { format, files } of await inEveryFormat(name, rows)) {
      await using loaded = await loadTables({
        "customers.csv": NO_CUSTOMERS,
        "interactions.csv": NO_INTERACTIONS,
        ...name === "customers" ? { "customers.csv": "" } : {},
        ...name === "interactions" ? { "interactions.csv": "" } : {},
        ...files,
      }, ALL).catch(async () => {
        const others: Files = name === "customers"
          ? { "interactions.csv": NO_INTERACTIONS }
          : { "customers.csv": NO_CUSTOMERS };
        return await loadTables({ ...others, ...files }, ALL);
      });
      assertEquals(
        loaded.report.set_aside_listed.map(({ column, reason }) =>
          `${column}: ${reason}`
        ),
        rows[0].slice(1).map((column) => `${column.toLowerCase()}: ${reason}`),
        `${name}, ${format}`,
      );
    }
  };
  await table("customers", [
    ["Customer_Id", "Occupation", "Type"],
    ["1", "Doctor", "Red"],
    ["1", "#REF!", "Blue"],
    ["1", "Cook", "#N/A"],
  ]);
  await table("products", [
    ["Date", "Product"],
    ["10-2019", "Sand"],
    ["10-2019", "#NAME?"],
  ]);
  await table("channels", [
    ["Channel", "Aliases"],
    ["Email", "Mail"],
    ["Call", "#VALUE!"],
  ]);
});

Deno.test("spreadsheet errors set their row aside in the columns that only tally.toml names", async (t) => {
  const reason = "a formula whose result is an error";
  const customers = await inEveryFormat("people", [
    ["Id", "Email", "Plan"],
    ["1", "a@x", "Gold"],
    ["2", "#N/A", "Gold"],
    ["3", "c@x", "#N/A"],
  ]);
  const interactions = await inEveryFormat("calls", [
    ["From", "At", "Activity", "State"],
    ["a@x", DAY, "#N/A", "Open"],
    ["a@x", DAY, " #N/A ", "Open"],
    ["a@x", DAY, "#REF!", "Spam"],
    ["a@x", DAY, "A-1", "#REF!"],
    ["a@x", DAY, "A-2", "Open"],
  ]);
  for (const [i, { format, files }] of interactions.entries()) {
    await t.step(format, async () => {
      await using loaded = await loadTables({
        "tally.toml": `
[customers]
files = "people.*"
id = "Id"
attributes = { tariff = "Plan" }
[[interactions]]
files = "calls.*"
id = "Activity"
skip_where = { State = ["Spam"] }
customer = { column = "From", match = "Email" }
time = "At"
channel = { value = "Call" }
`,
        ...customers[i].files,
        ...files,
      }, ALL);
      assertEquals(
        loaded.report.set_aside_listed.map((
          { column, value, reason },
        ) => [column, value, reason]),
        [
          ["Email", "#N/A", reason],
          ["tariff", "#N/A", reason],
          ["activity", "#N/A", reason],
          ["activity", "#N/A", reason],
          ["State", "#REF!", reason],
        ],
      );
      assertEquals(loaded.report.customers, 1);
      assertEquals(loaded.report.interactions, 1);
    });
  }
});

/** Loads calls in every format, whose customers are looked for as each `says` says; compares how many are kept, and the values set aside for `reason`. */
async function matchCalls(
  t: Deno.TestContext,
  { people, calls, reason, cases, set_aside }: {
    readonly people: string;
    readonly calls: readonly (readonly string[])[];
    readonly reason: string;
    readonly cases: readonly (readonly [says: string, kept: number])[];
    readonly set_aside: readonly string[];
  },
): Promise<void> {
  const written = await inEveryFormat("calls", [["From", "At"], ...calls]);
  for (const [says, kept] of cases) {
    for (const { format, files } of written) {
      await t.step(`${format}: ${says}`, async () => {
        await using loaded = await loadTables({
          "tally.toml": `
[customers]
files = "people.csv"
id = "Id"
[[interactions]]
files = "calls.*"
customer = { column = "From", separator = ";", ${says} }
time = "At"
channel = { value = "Call" }
`,
          "people.csv": people,
          ...files,
        }, ALL);
        const { interactions, set_aside_listed } = loaded.report;
        assertEquals(interactions, kept);
        assertEquals(
          set_aside_listed.filter((row) => row.reason === reason)
            .map(({ value }) => value?.trim()),
          [...set_aside],
        );
      });
    }
  }
}

Deno.test("spreadsheet errors match no customer, and are no customer without a name either", (t) =>
  matchCalls(t, {
    people: csv(["Id", "Email", "Phone"], ["1", "a@x", "0"]),
    calls: [
      ["a@x", DAY],
      ["0", DAY],
      ["#REF!", DAY],
      ["#DIV/0!", DAY],
      ["a@x;#N/A", DAY],
    ],
    reason: "a formula whose result is an error",
    cases: [
      ['match = "Email"', 1],
      ['match = "Email", unmatched = "anonymous"', 2],
      ['match = "Phone", match_as = "phone", unmatched = "anonymous"', 2],
      ['match = "Email", pattern = "(.+)", unmatched = "anonymous"', 2],
    ],
    set_aside: ["#REF!", "#DIV/0!", "a@x;#N/A"],
  }));

/** What spreadsheets make of long numbers, by their country. */
const ROUNDED = [
  "1E+15",
  "1.23457E+15",
  "1,23457E+15",
  "1.23457E15",
  "-2,5e15",
];
/** Texts that look like it, and are ids. */
const NOT_ROUNDED = ["1E5", "12.5E3", "4.5", "1,5", "1.5E", "E+5", "A1.5E3"];
const IS_ROUNDED = "an id that a spreadsheet has rounded; export it as text";

Deno.test("a text id that a spreadsheet has rounded is set aside, in either spelling", async (t) => {
  const ids = [...NOT_ROUNDED, ...ROUNDED];
  const people = await inEveryFormat("people", [
    ["Id", "Plan"],
    ...ids.map((id) => [id, "Gold"]),
  ]);
  const calls = await inEveryFormat("calls", [
    ["Who", "At"],
    ...ids.map((id) => [id, DAY]),
  ]);
  for (const [i, { format, files }] of calls.entries()) {
    await t.step(format, async () => {
      await using loaded = await loadTables({
        "tally.toml": `
[customers]
files = "people.*"
id = { column = "Id", kind = "text" }
[[interactions]]
files = "calls.*"
customer = "Who"
time = "At"
channel = { value = "Call" }
`,
        ...people[i].files,
        ...files,
      }, ALL);
      const { customers, interactions, set_aside_listed } = loaded.report;
      assertEquals(
        [customers, interactions],
        [NOT_ROUNDED.length, NOT_ROUNDED.length],
      );
      assertEquals(
        set_aside_listed.map(({ value, reason }) => [value, reason]),
        [...ROUNDED, ...ROUNDED].map((value) => [value, IS_ROUNDED]),
      );
    });
  }
});

Deno.test("what a spreadsheet has rounded matches no customer, and is no customer without a name either", (t) => {
  const rounded = ["4,93012E+11", "4.93012E11", "4.93012e+11", " 4E+11 "];
  return matchCalls(t, {
    people: csv(
      ["Id", "Phone"],
      ...rounded.map((cell, i) => [String(i + 1), cell]),
      ["9", "493012345678"],
    ),
    calls: [
      ["493012345678", DAY],
      ["40", DAY],
      ...rounded.map((cell) => [cell, DAY]),
      ["493012345678;4.93012E+11", DAY],
    ],
    reason: IS_ROUNDED,
    cases: [
      ['match = "Phone"', 1],
      ['match = "Phone", match_as = "phone"', 1],
      ['match = "Phone", unmatched = "anonymous"', 2],
      ['match = "Phone", match_as = "phone", unmatched = "anonymous"', 2],
      ['match = "Phone", pattern = "(.+)", unmatched = "anonymous"', 2],
    ],
    set_aside: [
      ...rounded.map((cell) => cell.trim()),
      "493012345678;4.93012E+11",
    ],
  });
});

Deno.test("a telephone number with the .0 of a number is the one without it", async (t) => {
  const ends_in_0 = ["493012345678.0", "+49.0", "555.0000", "030 1.0", "89.00"];
  const whole = ["493012345678", "+490", "5550000", "03010", "8900"];
  for (
    const [of_customers, of_calls] of [[ends_in_0, whole], [whole, ends_in_0]]
  ) {
    const people = csv(
      ["Id", "Phone"],
      ...of_customers.map((cell, i) => [String(i + 1), cell]),
    );
    const calls = await inEveryFormat("calls", [
      ["From", "At"],
      ...of_calls.map((cell) => [cell, DAY]),
    ]);
    for (const { format, files } of calls) {
      await t.step(`${format}: ${of_calls[0]}`, async () => {
        await using loaded = await loadTables({
          "tally.toml": `
[customers]
files = "people.csv"
id = "Id"
[[interactions]]
files = "calls.*"
customer = { column = "From", match = "Phone", match_as = "phone" }
time = "At"
channel = { value = "Call" }
`,
          "people.csv": people,
          ...files,
        }, ALL);
        assertEquals(loaded.report.interactions, whole.length);
      });
    }
  }
});

/** The customers of `calls.*` whose rows such a condition keeps, in order. */
async function callers(
  files: Files,
  { where, settings }: {
    readonly where: string;
    readonly settings?: Settings;
  },
): Promise<unknown[]> {
  await using loaded = await loadTables({
    "tally.toml": `
customers = false
[[interactions]]
files = "calls.*"
customer = "Who"
time = "At"
channel = { value = "Call" }
${where}
`,
    ...files,
  }, settings);
  const rows = await loaded.query(
    "select customer_id::integer as id from interactions order by id",
  );
  return rows.map(({ id }) => id);
}

Deno.test("a word for no value in skip_where or keep_where means the cells that are written so", async (t) => {
  const words = ["NA", " na ", "N/A", "-", "", "EU", "ＮＡ", "US"];
  const calls = await inEveryFormat("calls", [
    ["Who", "At", "Region"],
    ...words.map((word, i) => [String(i + 1), DAY, word]),
  ]);
  for (
    const [values, found] of [
      ['["NA"]', [1, 2, 7]],
      ['["n/a", "-"]', [3, 4]],
      ['["NA", "EU"]', [1, 2, 6, 7]],
      ['[""]', [1, 2, 3, 4, 5]],
      ['["", "EU"]', [1, 2, 3, 4, 5, 6]],
    ] as const
  ) {
    for (const key of ["skip_where", "keep_where"]) {
      for (const { format, files } of calls) {
        await t.step(`${format}: ${key} = ${values}`, async () => {
          const ids: readonly number[] = found;
          const kept = words.map((_, i) => i + 1).filter((id) =>
            ids.includes(id) === (key === "keep_where")
          );
          assertEquals(
            await callers(files, { where: `${key} = { Region = ${values} }` }),
            kept,
          );
        });
      }
    }
  }
});

Deno.test("skip_where compares dates and booleans as people read them", async (t) => {
  // Customers 1 to 5, with the time of their calls in another column and in the same.
  const cells = [
    `t="n" s="1"><v>43890</v>`,
    `t="n" s="1"><v>43890.5</v>`,
    `t="d"><v>2020-02-29T00:00:00</v>`,
    `t="b"><v>1</v>`,
    `t="inlineStr"><is><t>Open</t></is>`,
  ];
  const header = sheetOf(["Who", "At", "S"]).replace("</sheetData>", "");
  const rows = cells.map((cell, i) =>
    `<row r="${i + 2}"><c r="A${i + 2}"><v>${i + 1}</v></c><c r="B${
      i + 2
    }" s="1"><v>${43_890 + i / 2}</v></c><c r="C${i + 2}" ${cell}</c></row>`
  );
  const workbook = {
    "calls.xlsx": xlsx({ Calls: `${header}${rows.join("")}</sheetData>` }, {
      styles: `<cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>`,
    }),
  };
  const of = (s: string) =>
    `select unnest([1, 2]) as "Who", '${DAY}' as "At", unnest(${s}) as "S"`;
  const parquet = await parquetFiles({
    "calls.parquet": of("[timestamp '2020-02-29', '2020-02-29 12:00:00']"),
  });
  const zoned = await parquetFiles({
    "calls.parquet": of(
      "[timestamptz '2020-02-28 23:00:00+00', '2020-02-29 00:00:00+00']",
    ),
  });
  const booleans = await parquetFiles({ "calls.parquet": of("[true, false]") });
  const day = '["2020-02-29"]';
  const midnight = '["2020-02-29 00:00:00"]';
  for (
    const [name, files, where, kept] of [
      ["workbook", workbook, `S = ${day}`, [2, 4, 5]],
      ["workbook", workbook, `S = ${midnight}`, [2, 4, 5]],
      ["workbook", workbook, `S = ["2020-02-29T00:00:00"]`, [2, 4, 5]],
      ["workbook", workbook, `S = ["2020-02-29 12:00:00"]`, [1, 3, 4, 5]],
      ["workbook", workbook, "S = [true]", [1, 2, 3, 5]],
      ["workbook", workbook, `At = ${day}`, [2, 3, 4, 5]],
      ["Parquet", parquet, `S = ${day}`, [2]],
      ["Parquet", parquet, `S = ${midnight}`, [2]],
      ["Parquet with a zone", zoned, `S = ${day}`, [2]],
      ["Parquet", booleans, "S = [true]", [2]],
    ] as const
  ) {
    await t.step(`${name}: ${where}`, async () => {
      const settings = { TIME_ZONE: "Europe/Berlin" };
      assertEquals(
        await callers(files, { where: `skip_where = { ${where} }`, settings }),
        kept,
      );
    });
  }
});

Deno.test("a spreadsheet error among several topics or aliases sets the row aside", async (t) => {
  const calls = await inEveryFormat("interactions", [
    [...HEADER, "Topic"],
    [DAY, "Call", "1", "Boat; #N/A"],
    [DAY, "Call", "1", "#REF!;Boat"],
    [DAY, "Call", "1", "Boat;#1"],
  ]);
  const channels = await inEveryFormat("channels", [
    ["Channel", "Aliases"],
    ["Call", "Phone"],
    ["Email", "Mail;#NAME?"],
  ]);
  for (const [i, { format, files }] of calls.entries()) {
    await t.step(format, async () => {
      await using loaded = await loadTables({
        "customers.csv": NO_CUSTOMERS,
        ...channels[i].files,
        ...files,
      }, ALL);
      assertEquals(
        loaded.report.set_aside_listed.map(({ column, value, reason }) =>
          `${column} ${value}: ${reason}`
        ).toSorted(),
        [
          "aliases Mail;#NAME?: a formula whose result is an error",
          "topic #REF!;Boat: a formula whose result is an error",
          "topic Boat; #N/A: a formula whose result is an error",
        ],
      );
      assertEquals(loaded.topics, ["#1", "Boat"]);
    });
  }
});

Deno.test("NA as a type is noted once, and sentinel times are kept and counted", async () => {
  const made = await inEveryFormat("customers", [
    ["Customer_Id", "Type"],
    ["1", "NA"],
    ["2", "NA"],
    ["3", "EMEA"],
    ["4", "n/a"],
  ]);
  for (const { format, files, file } of made) {
    await using loaded = await loadTables({
      ...files,
      "interactions.csv": csv(
        HEADER,
        ["1900-01-01", "Email", "1"],
        ["1900-01-01T00:00:00Z", "Email", "1"],
        ["1900-01-01 00:00:01", "Email", "1"],
        ["1970-01-01", "Email", "1"],
        ["1970-01-01T00:00:00Z", "Email", "1"],
        ["1970-01-01 00:00:01", "Email", "1"],
        [DAY, "Email", "1"],
      ),
    }, { TIME_ZONE: "Europe/Zurich" });
    assertEquals(loaded.report.interactions, 7);
    assertEquals(loaded.report.types, ["EMEA"]);
    assertEquals(
      loaded.report.warnings
        .filter(({ kind }) => ["na_types", "sentinel_times"].includes(kind))
        .map(({ text }) => text),
      [
        `customers of ${file} with the type NA, which is read as no value: 2`,
        "times of interactions.csv that may stand for no time, 1900-01-01 or 1970-01-01 at midnight; they are kept: 4",
      ],
      format,
    );
  }
});

Deno.test("a summary row whose label is in a column that is not used replaces no record", async () => {
  const rows = [
    ["Name", "Customer_Id", "Type"],
    ["Ada", "1", "Red"],
    ["Bob", "2", "Blue"],
    ["Total", "2", ""],
  ];
  for (const { format, files } of await inEveryFormat("customers", rows)) {
    await using loaded = await loadTables({
      ...files,
      "interactions.csv": NO_INTERACTIONS,
    });
    assertEquals(
      await loaded.query(
        "select customer_id::integer as id, type from customers",
      ),
      [{ id: 1, type: "Red" }, { id: 2, type: "Blue" }],
      format,
    );
    assertEquals(
      loaded.report.set_aside_listed.map((
        { line, column, value, reason },
      ) => [line, column, value, reason]),
      [[4, "row", "Total", "a summary row"]],
      format,
    );
  }
  await using short = await loadTables({
    "customers.csv": "Name,Customer_Id,Type\nBob,2,Blue\nTotal,2\n",
    "interactions.csv": NO_INTERACTIONS,
  });
  assertEquals(short.report.files[0].rows_set_aside, 1);
  const doubtful = [
    ["Name", "Customer_Id"],
    ["Ada", "1"],
    ["Total customers", "2"],
  ];
  const made = await inEveryFormat("customers", doubtful);
  for (const { format, files, file } of made) {
    await using loaded = await loadTables({
      ...files,
      "interactions.csv": NO_INTERACTIONS,
    });
    assertEquals(loaded.report.customers, 2, format);
    assertEquals(
      loaded.report.warnings.find(({ kind }) => kind === "summary_rows")?.text,
      `rows of ${file} that may sum up others, by a label such as Total in a column that is not used; they are kept: 1 (line 3)`,
      format,
    );
  }
});

Deno.test("a row with a label is a summary row if nothing that tally.toml names has a value", async (t) => {
  const cases: [string, { given: string; cell: string }][] = [
    ["a name", { given: 'name = "Cell"', cell: "Ann Smith" }],
    ["a type", { given: 'type = "Cell"', cell: "Red" }],
    ["an attribute", { given: 'attributes.country = "Cell"', cell: "Chile" }],
    ["what customers are matched by", { given: "", cell: "a@example.com" }],
  ];
  for (const [name, { given, cell }] of cases) {
    await t.step(name, async () => {
      const match = given === "" ? ', match = "Cell"' : "";
      await using loaded = await loadTables({
        "tally.toml": `
[customers]
files = "people.csv"
id = "Id"
${given}

[interactions]
files = "calls.csv"
time = "When"
channel = "Kind"
customer = { column = "Who"${match} }
`,
        "people.csv": csv(
          ["Company", "Id", "Cell"],
          ["Shell", "1", "Blue"],
          ["Total", "2", cell],
          ["Total", "3", ""],
        ),
        "calls.csv": csv(["When", "Kind", "Who"], [
          "2024-01-31",
          "Call",
          match ? "Blue" : "1",
        ]),
      });
      const { report } = loaded;
      assertEquals(report.customers, 2);
      assertEquals(
        report.set_aside_listed.map(({ line, reason }) => [line, reason]),
        [[4, "a summary row"]],
      );
    });
  }
});

Deno.test("a table of which every row is set aside is not an empty table", async () => {
  assertEquals(
    await refusalOf({
      "customers.csv": csv(["Customer_Id"], ["C-1"], ["C-2"]),
      "interactions.csv": csv(HEADER, ["never", "Email", "1"]),
    }, ALL),
    [
      'customers.csv, line 2: all 2 rows are set aside, which leaves no customer: 2 rows, customer_id "C-1" in line 2: an id with letters, ids are whole numbers, such as 12. Mend the rows, or check that the right columns have these names.',
      'interactions.csv, line 2: all 1 rows are set aside, which leaves no interaction: 1 row, date_start "never" in line 2: not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59. Mend the rows, or check that the right columns have these names.',
    ].join("\n"),
  );
  await using loaded = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions.csv": NO_INTERACTIONS,
  });
  assertEquals(loaded.report.interactions, 0);
});

Deno.test("interactions without a customer are counted apart", async () => {
  const rows = [
    HEADER,
    ...Array(6).fill([DAY, "Email", ""]),
    ...Array(6).fill([DAY, "Email", "0"]),
    [DAY, "Email", "1"],
  ];
  const made = await inEveryFormat("interactions", rows);
  for (const { format, files, file } of made) {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      ...files,
    });
    const { rows_without_customer, rows_set_aside, set_aside } =
      loaded.report.files[1];
    assertEquals(
      { rows_without_customer, rows_set_aside, set_aside },
      {
        rows_without_customer: 12,
        rows_set_aside: 12,
        set_aside: [{ column: "customers", reason: "no customer", rows: 12 }],
      },
      format,
    );
    assertEquals(loaded.report.too_many_set_aside, []);
    assertEquals(
      loaded.report.warnings.find(({ kind }) => kind === "without_customer")
        ?.text,
      `rows of ${file} without a customer, more than half of the file; they are not counted: 12`,
      format,
    );
  }
});

Deno.test("a refusal names every kind of problem with a value, and a setting where that is the cure", async (t) => {
  const good = Array(10).fill([DAY, "Email", "1"]);
  await t.step("kinds, each with its first value", async () => {
    assertEquals(
      await refusalOf({
        "customers.csv": NO_CUSTOMERS,
        "interactions.csv": csv(
          HEADER,
          ...good,
          ...Array(4).fill([DAY, "Email", "007"]),
          ...Array(2).fill(["31/02/2019", "Email", "1"]),
        ),
      }),
      'interactions.csv, line 12: 6 of 16 rows break a rule, more than MAX_SET_ASIDE=0.1 allows: 4 rows, customers "007" in line 12: an id with leading zeros, ids are whole numbers, without them; 2 rows, date_start "31/02/2019" in line 16: no such day or time. Mend the rows, or raise MAX_SET_ASIDE.',
    );
  });
  await t.step("DATE_ORDER", async () => {
    const refusal = await refusalOf({
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": csv(
        HEADER,
        ["31/12/2019", "Email", "1"],
        ...Array(6).fill(["12/31/2019", "Email", "1"]),
      ),
    });
    assertStringIncludes(
      refusal,
      'date_start "12/31/2019" in line 3: fits only the other order of day and month, see DATE_ORDER. Check DATE_ORDER=DMY, and that one system writes all dates of the file.',
    );
  });
  await t.step("columns, ids and dates at once", async () => {
    const refusal = await refusalOf({
      "customers.csv": "Number\n1\n",
      "interactions.csv": csv(HEADER, ...Array(6).fill([DAY, "Email", "A1"])),
      "products.csv": csv(
        ["Date", "Product"],
        ...Array(6).fill(["someday", "Sand"]),
      ),
    });
    assertEquals(refusal.split("\n").map((line) => line.split(/[,:]/)[0]), [
      "customers.csv",
      "products.csv",
      "interactions.csv",
    ]);
  });
});

const PROPERTY = { numRuns: 12 };

Deno.test("random files: grouped ids are set aside, plain ones and lists kept", async () => {
  const digits = (count: number) =>
    fc.integer({ min: 0, max: 10 ** count - 1 })
      .map((n) => String(n).padStart(count, "0"));
  const lead = fc.integer({ min: 1, max: 999 }).map(String);
  const groups = fc.array(digits(3), { minLength: 1, maxLength: 3 });
  const grouped = fc.oneof(
    fc.tuple(lead, groups).map(([a, rest]) => [a, ...rest].join(",")),
    fc.tuple(lead, groups).map(([a, rest]) => [a, ...rest].join(".")),
    fc.tuple(
      lead,
      fc.array(digits(2), { minLength: 1, maxLength: 3 }),
      digits(3),
    )
      .map(([a, twos, last]) => [a, ...twos, last].join(",")),
  ).map((cell) => ({ cell, ids: [] as number[] }));
  const id = fc.integer({ min: 1, max: 99_999 });
  const list = fc.tuple(
    fc.array(id, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(";", "|", ", ", " ; "),
    fc.constantFrom("", ".0"),
  ).map(([ids, separator, end]) => ({
    cell: ids.map((one) => `${one}${end}`).join(separator),
    ids: [...new Set(ids)],
  }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(grouped, list), { minLength: 1, maxLength: 300 }),
      fc.constantFrom(",", ";", "\t"),
      async (cells, delimiter) => {
        const first = { cell: "1", ids: [1] };
        const rows = [first, ...cells];
        await using loaded = await loadTables({
          "customers.csv": NO_CUSTOMERS,
          "interactions.csv": [
            HEADER.join(delimiter),
            ...rows.map(({ cell }) =>
              [DAY, "Email", `"${cell}"`].join(delimiter)
            ),
            "",
          ].join("\n"),
        }, ALL);
        assertEquals(
          loaded.report.set_aside_listed.map(({ value }) => value),
          rows.filter(({ ids }) => ids.length === 0).map(({ cell }) => cell),
        );
        assertEquals(
          loaded.report.interactions,
          rows.reduce((sum, { ids }) => sum + ids.length, 0),
        );
      },
    ),
    PROPERTY,
  );
});

/** A random day as its parts. */
const DAYS = fc.date({
  min: new Date("1950-01-01T00:00:00Z"),
  max: new Date("2078-12-31T00:00:00Z"),
  noInvalidDate: true,
}).map((date) => {
  const iso = date.toISOString().slice(0, 10);
  const [y, m, d] = iso.split("-");
  return { iso, y, m, d, decisive: Number(d) > 12 };
});

Deno.test("random files: the order of dates is disproved exactly where only the other one fits", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(DAYS, { minLength: 1, maxLength: 100 }),
      fc.boolean(),
      async (days, is_right) => {
        const folder = {
          "customers.csv": NO_CUSTOMERS,
          "interactions.csv": csv(
            HEADER,
            ...days.map(({ y, m, d }) => [
              is_right ? `${d}/${m}/${y}` : `${m}/${d}/${y}`,
              "Email",
              "1",
            ]),
          ),
        };
        if (!is_right && days.some(({ decisive }) => decisive)) {
          assertStringIncludes(await refusalOf(folder, ALL), "DATE_ORDER=MDY");
        }
        await using loaded = await loadTables(folder, {
          ...ALL,
          DATE_ORDER: is_right ? "DMY" : "MDY",
        });
        assertEquals(
          (await loaded.query(
            "select strftime(date_start, '%Y-%m-%d') as day from interactions",
          )).map(({ day }) => day).sort(),
          days.map(({ iso }) => iso).sort(),
        );
      },
    ),
    PROPERTY,
  );
});

Deno.test("random files: spellings of no value and errors are never a channel", async () => {
  const nothing = fc.constantFrom(
    ...["", "NULL", "N/A", "NA", "None", "NaN", "<NA>", "(null)", "[NULL]"],
    ...["\\N", "(blank)", "undefined", "-", "--", "———"],
  );
  const error = fc.constantFrom("#N/A", "#REF!", "#NAME?", "#DIV/0!", "#NUM!");
  const space = fc.constantFrom("", " ", "\t", "\u00a0");
  const cased = fc.constantFrom(
    (text: string) => text,
    (text: string) => text.toLowerCase(),
    (text: string) => text.toUpperCase(),
  );
  const unnamed = fc.oneof(
    fc.tuple(space, nothing, cased, space)
      .map(([a, text, change, b]) => `${a}${change(text)}${b}`),
    fc.tuple(space, error, space).map((parts) => parts.join("")),
  ).map((cell) => ({ cell, kept: false }));
  const named = fc.constantFrom("Email", "Call", "#1", "Nan 2", "-1", "null?")
    .map((cell) => ({ cell, kept: true }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(unnamed, named), { minLength: 1, maxLength: 300 }),
      async (cells) => {
        const rows = [{ cell: "Email", kept: true }, ...cells];
        await using loaded = await loadTables({
          "customers.csv": NO_CUSTOMERS,
          "interactions.csv": csv(
            HEADER,
            ...rows.map(({ cell }) => [DAY, cell, "1"]),
          ),
        }, ALL);
        const kept = rows.filter(({ kept }) => kept).map(({ cell }) => cell);
        assertEquals(loaded.report.interactions, kept.length);
        assertEquals(loaded.channels, [...new Set(kept)].sort());
      },
    ),
    PROPERTY,
  );
});

Deno.test("random files: one moment in every form that has one reading", async () => {
  const pad = (n: number) => String(n).padStart(2, "0");
  const time = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59));
  const cell = fc.tuple(DAYS, time, fc.nat(11)).map(
    ([{ iso, y, m, d }, [hour, minute, second], form]) => {
      const clock = `${pad(hour)}:${pad(minute)}:${pad(second)}`;
      const half = `${hour % 12 || 12}:${pad(minute)}:${pad(second)} ${
        hour < 12 ? "AM" : "PM"
      }`;
      const serial = Date.parse(`${iso}T${clock}Z`) / 86_400_000 + 25_569;
      const forms = [
        `${y}/${m}/${d} ${clock}`,
        `${y}/${Number(m)}/${Number(d)} ${half}`,
        `${d}.${m}.${y} ${clock}`,
        `${Number(d)}.${Number(m)}.${y} ${half.toLowerCase()}`,
        `${d}/${m}/${y} ${half}`,
        `${iso} ${half}`,
        `${iso} ${clock} UTC`,
        `${iso} ${clock}.000 UTC`,
        `${iso} ${clock} +0000`,
        `${d}/${m}/${y} ${clock} +00:00`,
        `${d}.${m}.${y} ${clock} UTC`,
        serial.toFixed(9),
      ];
      return { cell: forms[form], moment: `${iso} ${clock}` };
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(cell, { minLength: 1, maxLength: 300 }),
      async (cells) => {
        await using loaded = await loadTables({
          "customers.csv": NO_CUSTOMERS,
          "interactions.csv": csv(
            HEADER,
            ...cells.map(({ cell }) => [cell, "Email", "1"]),
          ),
        }, ALL);
        assertEquals(loaded.report.set_aside_listed, []);
        const found = await loaded.query(
          "select strftime(date_start, '%Y-%m-%d %H:%M:%S') as moment from interactions order by date_start",
        );
        assertEquals(
          found.map(({ moment }) => moment),
          cells.map(({ moment }) => moment).sort(),
        );
      },
    ),
    PROPERTY,
  );
});
