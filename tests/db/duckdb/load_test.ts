/** Loads of whole folders: how files add up, what is reported, and what is refused. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { csv, type Files } from "../../support/data_folder.ts";
import { failingDuckDb } from "../../support/failing_duckdb.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";
import {
  countsOf,
  dateOfDay,
  interactionsOf,
  loadFolder,
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  refusalOf,
} from "../../support/load_folder.ts";

const INTERACTIONS = ["Date Start", "Interaction", "Customers"];
const HEADERS: Files = {
  "customers.csv": NO_CUSTOMERS,
  "interactions.csv": NO_INTERACTIONS,
};

/** Interactions by Email, one a pair of time and customers. */
const emails = (...rows: [time: string, customers: string][]) =>
  csv(
    INTERACTIONS,
    ...rows.map(([time, customers]) => [time, "Email", customers]),
  );

const NOT_TIME =
  "not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59";

Deno.test("customers: the later row wins whole, each type has one spelling", async () => {
  await using loaded = await loadTables(
    {
      "interactions.csv": NO_INTERACTIONS,
      "customers_1.csv": csv(
        ["Customer_Id", "Occupation", "Type"],
        ["1", "Jedi", "Red"],
        ["2", "Batman", "Blue"],
        ["2", "Robin", "N/A"],
        ["3", " Santa\u00a0 Claus ", "Blue"],
        ["9007199254740991", "-", "red"],
        ["4", "Baker", "blue"],
      ),
      // Later by its name; a short row has no value where it ends.
      "customers_2.csv":
        "Type;Customer_Id;Occupation\nred;5.0\nred;6;\nGREEN;7;x\ngreen;8;x\n;1;Sith\nBLUE;4;Baker\n",
    },
  );
  const rows = await loaded.query(
    `select customer_id::varchar as id, occupation, type
     from customers order by customer_id`,
  );
  assertEquals(
    rows.map(({ id, occupation, type }) => [id, occupation, type]),
    [
      ["1", "Sith", null],
      ["2", "Robin", null],
      ["3", "Santa Claus", "BLUE"],
      ["4", "Baker", "BLUE"],
      ["5", null, "red"],
      ["6", null, "red"],
      ["7", "x", "GREEN"],
      ["8", "x", "GREEN"],
      ["9007199254740991", null, "red"],
    ],
  );
});

Deno.test("a load's report: repeated, unknown and future things are counted", async () => {
  await using loaded = await loadFolder({
    "channels.csv": csv(["Channel", "Colour"], ["Post", "red"]),
    "customers.csv": csv(
      ["Customer_Id", "Occupation", "Type", "Name", "Name"],
      ["1", "Jedi", "Red", "Ann", ""],
      ["2", "Batman", "Blue", "Bob", ""],
      ["2", "Robin", "Blue", "Bob", ""],
      ["3", "Santa", "Blue", "Cid", ""],
      ["3", " Santa ", "BLUE", "Dan", ""],
      ["4", "Baker", "", "Eve", ""],
      ["4", "N/A", "", "Eve", ""],
      ["x", "", "", "", ""],
    ),
    "interactions.csv": emails(
      ["01/01/2020 10:00", "1"],
      ["01/01/2020 10:00", "1;2"],
      ["2020-01-01T10:00", "1"],
      ["01/01/2020 10:01", "1"],
      ["01/01/2020", "11;12"],
      ["02/01/2020", "11"],
      ["31/12/2078 23:59:59", "2"],
      ["31/12/2077", "2"],
      ["31/12/2078 23:59:58", "2"],
      ["never", "99"],
    ),
    "products.csv": csv(["Date", "Product"], ["1-2020", "Sand"], ["?", "x"]),
    "notes.txt": "",
  }, { MAX_SET_ASIDE: "0" });
  const { snapshot, report } = loaded;
  const files = report.files.map((file) => ({
    file: file.file,
    table: file.table,
    rows: [file.rows_read, file.rows_kept, file.rows_set_aside],
    set_aside: file.set_aside,
    unknown_columns: file.unknown_columns,
  }));
  assertEquals(files, [
    {
      file: "channels.csv",
      table: "channels",
      rows: [1, 1, 0],
      set_aside: [],
      unknown_columns: ["Colour"],
    },
    {
      file: "products.csv",
      table: "products",
      rows: [2, 1, 1],
      set_aside: [{
        column: "date",
        reason: "not a month in a known form, such as 2019-12 or 12-2019",
        rows: 1,
      }],
      unknown_columns: [],
    },
    {
      file: "customers.csv",
      table: "customers",
      rows: [8, 7, 1],
      set_aside: [{
        column: "customer_id",
        reason: "not a customer id from 1 to 9007199254740991",
        rows: 1,
      }],
      unknown_columns: ["Name", "Name"],
    },
    {
      file: "interactions.csv",
      table: "interactions",
      rows: [10, 9, 1],
      set_aside: [{
        column: "date_start",
        reason: NOT_TIME,
        rows: 1,
      }],
      unknown_columns: [],
    },
  ]);
  assertEquals(report.ignored, [{
    file: "notes.txt",
    reason: "not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip",
  }]);
  assertEquals(report.set_aside_listed.map(({ file, line }) => [file, line]), [
    ["products.csv", 3],
    ["customers.csv", 9],
    ["interactions.csv", 11],
  ]);
  assertEquals(snapshot.row_counts, {
    customers: 4,
    interactions: 11,
    products: 1,
  });
  assertEquals(report.interactions, 11);
  assertEquals(report.customers, 6);
  assertEquals(report.example_customer_id, 1);
  assertEquals(report.orphan_customers, 2);
  // 2 and 4; 3 differs in spelling only.
  assertEquals(report.conflicting_customers, 2);
  assertEquals(report.duplicate_interactions, 2);
  assertEquals(report.merged_interactions, 0);
  assertEquals(report.latest_interaction, "2020-01-02 00:00:00");
  assertEquals(report.future_interactions, 3);
  assertEquals(report.upcoming, [
    "2077-12-31 00:00:00",
    "2078-12-31 23:59:59",
  ]);
  assertEquals(report.time_zone, "UTC");
  assertEquals(snapshot.channels, ["Email", "Post"]);
  // Customers known only from interactions, and only from their record.
  assertEquals(await countsOf(snapshot, { customer_id: 11 }), {
    Email: 2,
    Post: 0,
  });
  assertEquals(await countsOf(snapshot, { customer_id: 4 }), {
    Email: 0,
    Post: 0,
  });
  assertEquals(await countsOf(snapshot, { customer_id: 99 }), null);
});

Deno.test("records of one customer that differ in the name alone are counted, where tally.toml reads names", async () => {
  const conflicts = async (name: string) => {
    await using loaded = await loadTables({
      "customers.csv": csv(
        ["Customer_Id", "Name"],
        ["1", "Ann"],
        ["1", "Bob"],
        ["2", "Cid"],
        ["2", " Cid "],
        ["3", "Dan"],
        ["3", ""],
      ),
      "interactions.csv": NO_INTERACTIONS,
      "tally.toml":
        `[customers]\nfiles = "customers.csv"\nid = "Customer_Id"\n${name}`,
    });
    return loaded.report.conflicting_customers;
  };
  assertEquals(await conflicts('name = "Name"\n'), 2);
  assertEquals(await conflicts(""), 0);
});

Deno.test("several exports: what overlaps counts as often as where it is most", async () => {
  const t1 = "01/03/2020 10:00";
  const t2 = "02/03/2020 10:00";
  const header = [...INTERACTIONS, "Topic"];
  const email = (time: string, customers: string) =>
    [time, "Email", customers, ""] as const;
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    // 1 January to 10 March.
    "interactions_1.csv": csv(
      header,
      email("01/01/2020", "5"),
      email("01/01/2020", "5"),
      email("01/01/2020", "15"),
      email("10/03/2020", "99"),
      email(t1, "1"),
      email(t1, "2"),
      email(t1, "2"),
      email(t1, "3"),
      email(t1, "4"),
      email(t1, "6"),
      email(t1, "7"),
      email(t1, "8;9"),
      email(t1, "10"),
      email(t1, "11"),
      email(t1, "12"),
      email(t1, "13"),
      email(t1, "13"),
    ),
    // 1 March to 1 May.
    "interactions_2.csv": csv(
      header,
      email("01/05/2020", "99"),
      email(t1, "1"),
      email(t1, "2"),
      email(t1, "3"),
      email(t1, "3"),
      email(t1, "3"),
      email(t2, "6"),
      [t1, "Call", "7", ""],
      email(t1, "9;8"),
      ["2020-03-01T10:00Z", " EMAIL ", "10.0", "N/A"],
      [t1, "Email", "11", "Stone"],
      ["01/03/2020 10:00:01", "Email", "12", ""],
      email(t1, "13"),
    ),
    // 1 to 2 March.
    "interactions_3.csv": csv(
      header,
      email(t2, "99"),
      email(t1, "1"),
      email(t1, "13"),
      email(t1, "13"),
      email(t1, "13"),
    ),
    // June: overlaps with nothing.
    "interactions_4.csv": csv(
      header,
      email("01/06/2020", "5"),
      email("01/06/2020", "5"),
      email("30/06/2020", "5"),
    ),
    // July: begins with the moment that June ends with.
    "interactions_5.csv": csv(
      header,
      email("30/06/2020", "5"),
      email("01/07/2020", "5"),
    ),
    // Ends with the moment that the first one begins with.
    "interactions_6.csv": csv(
      header,
      email("01/01/2019", "15"),
      email("01/01/2020", "15"),
    ),
    // Parts: never merged, not with each other and not with the others.
    "interactions/1.csv": csv(header, email(t1, "1"), email(t1, "14")),
    "interactions/2.csv": csv(header, email(t1, "1"), email(t1, "14")),
  });
  const { snapshot, report } = loaded;
  const cases: [customer_id: number, interactions: string[]][] = [
    // In three exports once, and in two parts.
    [1, Array(3).fill("2020-03-01 Email")],
    [2, Array(2).fill("2020-03-01 Email")],
    [3, Array(3).fill("2020-03-01 Email")],
    // In the overlap, but in one export.
    [4, ["2020-03-01 Email"]],
    [5, [
      ...Array(2).fill("2020-01-01 Email"),
      ...Array(2).fill("2020-06-01 Email"),
      "2020-06-30 Email",
      "2020-07-01 Email",
    ]],
    // Another time, channel, topic or second is another interaction.
    [6, ["2020-03-01 Email", "2020-03-02 Email"]],
    [7, ["2020-03-01 Call", "2020-03-01 Email"]],
    [8, ["2020-03-01 Email"]],
    [9, ["2020-03-01 Email"]],
    [10, ["2020-03-01 Email"]],
    [11, Array(2).fill("2020-03-01 Email: Stone")],
    [12, Array(2).fill("2020-03-01 Email")],
    [13, Array(3).fill("2020-03-01 Email")],
    [14, Array(2).fill("2020-03-01 Email")],
    [15, ["2019-01-01 Email", "2020-01-01 Email"]],
    [99, ["2020-03-02 Email", "2020-03-10 Email", "2020-05-01 Email"]],
  ];
  for (const [customer_id, interactions] of cases) {
    assertEquals(
      await interactionsOf(snapshot, customer_id),
      interactions,
      `customer ${customer_id}`,
    );
  }
  // 1: 2, 2: 1, 3: 1, 5: 1, 8: 1, 9: 1, 10: 1, 13: 3, 15: 1.
  assertEquals(report.merged_interactions, 12);
  assertEquals(report.interactions, 36);
  // 1: 2, 2: 1, 3: 2, 5: 2, 13: 2, 14: 1.
  assertEquals(report.duplicate_interactions, 10);
});

Deno.test("MAX_SET_ASIDE: up to five rows, or up to its share of a file", async (t) => {
  const file = (good: number, bad: number) =>
    emails(
      ...Array(good).fill(["01/01/2020", "1"]),
      ...Array(bad).fill(["never", "1"]),
    );
  await t.step("kept", async () => {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      "interactions/five of six.csv": file(1, 5),
      "interactions/all five.csv": file(0, 5),
      "interactions/six of sixty.csv": file(54, 6),
      "interactions/nine of ninety.csv": file(81, 9),
    });
    assertEquals(loaded.report.interactions, 136);
  });
  await t.step("refused, every file of them", async () => {
    const message = await refusalOf({
      "customers.csv": NO_CUSTOMERS,
      "interactions/fine.csv": file(100, 5),
      "interactions/six of twenty.csv": file(14, 6),
      "interactions/six of fifty-nine.csv": file(53, 6),
    });
    const problem = (file: string, line: number, of: string) =>
      `interactions/${file}.csv, line ${line}: ${of} rows break a rule, more than MAX_SET_ASIDE=0.1 allows: 6 rows, date_start "never" in line ${line}: ${NOT_TIME}. Mend the rows, or raise MAX_SET_ASIDE.`;
    assertEquals(message.split("\n"), [
      problem("six of fifty-nine", 55, "6 of 59"),
      problem("six of twenty", 16, "6 of 20"),
    ]);
  });
  const shares: [share: string, good: number, bad: number, kept: boolean][] = [
    ["0", 1000, 5, true],
    ["0", 1000, 6, false],
    ["0.29", 71, 29, true],
    ["0.29", 70, 29, false],
    ["1", 1, 99, true],
  ];
  for (const [share, good, bad, kept] of shares) {
    await t.step(`${share}: ${bad} of ${good + bad}`, async () => {
      const files = { ...HEADERS, "interactions.csv": file(good, bad) };
      const settings = { MAX_SET_ASIDE: share };
      if (kept) {
        await using loaded = await loadTables(files, settings);
        assertEquals(loaded.report.interactions, good);
      } else await refusalOf(files, settings);
    });
  }
});

Deno.test("SET_ASIDE_KEPT: limits the list, not the counts", async (t) => {
  const files = {
    ...HEADERS,
    "customers.csv": "id\na\nb\n1\n",
    "interactions.csv": emails(
      ["x", "1"],
      ["01/01/2020", ""],
      ["y", "1"],
      ["01/01/2020", ""],
      ["z", "1"],
      ["01/01/2020", "1"],
    ),
  };
  const cases: [kept: string, listed: string[]][] = [
    ["0", []],
    ["3", ["customers.csv 2", "customers.csv 3", "interactions.csv 2"]],
  ];
  for (const [SET_ASIDE_KEPT, listed] of cases) {
    await t.step(SET_ASIDE_KEPT, async () => {
      await using loaded = await loadTables(files, { SET_ASIDE_KEPT });
      const { files: reports, set_aside_listed } = loaded.report;
      assertEquals(
        set_aside_listed.map(({ file, line }) => `${file} ${line}`),
        listed,
      );
      assertEquals(reports[1].set_aside, [
        { column: "date_start", reason: NOT_TIME, rows: 3 },
        { column: "customers", reason: "no customer", rows: 2 },
      ]);
      assertEquals(reports[1].rows_set_aside, 5);
    });
  }
  await t.step("a refusal without a list", async () => {
    const message = await refusalOf({
      ...HEADERS,
      "customers.csv": "id\n1\n" + "x\n".repeat(6),
    }, { SET_ASIDE_KEPT: "0" });
    assert(message.startsWith("customers.csv, line 3: 6 of 7 rows"), message);
  });
});

Deno.test("set aside: the line where the record begins, the cell, the first rule it breaks", async () => {
  const long = "x".repeat(500);
  await using loaded = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions_1.csv": [
      '"Date Start",Interaction,Customers',
      '01/01/2020,"two\nlines",1',
      "",
      '"a\n\n\nb",Email,1',
      "",
      "",
      "01/01/2020,Email,1,extra",
      "01/01/2020,Email",
      "01/01/2020,,",
      "01/01/2020",
      ",,",
      "never,,,,,,",
      "01/01/2020,Email,1,",
      `${long},Email,1`,
      '"no ""date""",Email,1',
      "31/12/1899,N/A,x",
      "01/01/2020,Email,1",
    ].join("\r\n"),
    "interactions_2.csv": emails(["01/01/2020", "1"], ["never", "1"]),
    "interactions_3.csv": emails(["soon", "1"]),
  }, { MAX_SET_ASIDE: "1" });
  assertEquals(
    loaded.report.set_aside_listed.map((
      { file, line, column, value, reason },
    ) => [file.slice(-5, -4), line, column, value, reason]),
    [
      ["1", 5, "date_start", "a\n\n\nb", NOT_TIME],
      ["1", 11, "row", "extra", "more cells than the header"],
      ["1", 12, "customers", null, "no customer"],
      ["1", 13, "interaction", "", "no value"],
      ["1", 14, "interaction", null, "no value"],
      ["1", 16, "row", "", "more cells than the header"],
      ["1", 17, "row", "", "more cells than the header"],
      ["1", 18, "date_start", long.slice(0, 200), NOT_TIME],
      ["1", 19, "date_start", 'no "date"', NOT_TIME],
      [
        "1",
        20,
        "date_start",
        "31/12/1899",
        "outside 1900-01-01 to 2078-12-31",
      ],
      ["2", 3, "date_start", "never", NOT_TIME],
      ["3", 2, "date_start", "soon", NOT_TIME],
    ],
  );
});

Deno.test("set aside: right lines in a file that several threads read", async () => {
  const bad_lines = [2, 60_000, 122_881, 199_999, 250_002, 300_001];
  const lines = Array.from(
    { length: 300_000 },
    (_, i) => `${dateOfDay(i % 50_000)} 10:00:00,Email,${1 + i % 1000}`,
  );
  for (const line of bad_lines) lines[line - 2] = `bad ${line},Email,1`;
  await using loaded = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions/1.csv": NO_INTERACTIONS + lines.join("\n"),
    "interactions/2.csv": NO_INTERACTIONS + "bad 2,Email,1\n",
  }, { DUCKDB_THREADS: "4" });
  assertEquals(
    loaded.report.set_aside_listed.map((
      { file, line, value },
    ) => [file, line, value]),
    [
      ...bad_lines.map((line) => ["interactions/1.csv", line, `bad ${line}`]),
      ["interactions/2.csv", 2, "bad 2"],
    ],
  );
  assertEquals(loaded.report.interactions, 299_994);
});

Deno.test("names: limits of how many", async (t) => {
  const channels = (count: number) =>
    csv(
      INTERACTIONS,
      ...Array.from({ length: count }, (_, i) => ["01/01/2020", `c${i}`, "1"]),
    );
  const topics = (count: number) =>
    csv(
      ["Month", "Product"],
      ...Array.from({ length: count }, (_, i) => ["1-2020", `t${i}`]),
    );
  const types = (count: number) =>
    csv(
      ["id", "Type"],
      ...Array.from({ length: count }, (_, i) => [`${i + 1}`, `t${i}`]),
    );
  await t.step("64 channels, 1,000 topics and 1,000 types", async () => {
    await using loaded = await loadTables({
      "interactions.csv": channels(64),
      "products.csv": topics(1000),
      "customers.csv": types(1000),
    });
    assertEquals(loaded.channels.length, 64);
    assertEquals(loaded.topics.length, 1000);
  });
  const refused: [name: string, files: Files, message: string][] = [
    [
      "65 channels",
      { "interactions.csv": channels(65) },
      "65 different channels, more than 64. Check that the right column holds the channels, or raise MAX_CHANNELS.",
    ],
    [
      "64 channels and another declared one",
      { "interactions.csv": channels(64), "channels.csv": "Channel\nPost\n" },
      "65 different channels, more than 64. Check that the right column holds the channels, or raise MAX_CHANNELS.",
    ],
    [
      "1,001 topics",
      { "products.csv": topics(1001) },
      "1001 different topics, more than 1000. Check that the right column holds the topics.",
    ],
    [
      "1,001 types",
      { "customers.csv": types(1001) },
      "1001 different types, more than 1000. Check that the right column holds the types.",
    ],
  ];
  for (const [name, files, message] of refused) {
    await t.step(name, async () => {
      assertEquals(await refusalOf({ ...HEADERS, ...files }), message);
    });
  }
  await t.step("MAX_CHANNELS=65", async () => {
    await using loaded = await loadTables(
      { ...HEADERS, "interactions.csv": channels(65) },
      { MAX_CHANNELS: "65" },
    );
    assertEquals(loaded.channels.length, 65);
  });
});

Deno.test("channels.csv: an alias of two channels is refused", async (t) => {
  const cases: [name: string, rows: [string, string][], key: string][] = [
    ["twice an alias", [["Email", "mail"], ["Post", "MAIL"]], "mail"],
    ["an alias and a channel", [["Email", "post"], ["Post", ""]], "post"],
  ];
  for (const [name, rows, key] of cases) {
    await t.step(name, async () => {
      assertEquals(
        await refusalOf({
          ...HEADERS,
          "channels.csv": csv(["Channel", "Aliases"], ...rows),
        }),
        `channels: "${key}" stands for several channels: Email, Post. Let each alias stand for one channel.`,
      );
    });
  }
});

Deno.test("folders that are refused: every problem in one go", async (t) => {
  const columns = "Name the columns as docs/file-contract.md says.";
  const of_lake =
    "whose folder also has files that no longer count. Export it as plain Parquet.";
  const cases: [name: string, files: Files, message: (RegExp | string)[]][] = [
    ["an empty folder", {}, [
      /^.+ has no file of customers\. Put customers\.csv \(or .+\) there; a header alone counts\.$/,
      /^.+ has no file of interactions\. Put interactions\.csv \(or .+\) there; a header alone counts\.$/,
    ]],
    ["no interactions", { "customers.csv": NO_CUSTOMERS }, [
      /^.+ has no file of interactions\. /,
    ]],
    ["an empty folder of parts", {
      "customers.csv": NO_CUSTOMERS,
      "interactions/notes.txt": "",
    }, [/^.+ has no file of interactions\. /]],
    ["tables of a lake and a folder inside a folder of parts", {
      "customers/_delta_log/00000000000000000000.json": "{}",
      "customers/part-0.parquet": "",
      "interactions.parquet/.hoodie/hoodie.properties": "",
      "products/data/0.parquet": "",
      "products/metadata/v1.metadata.json": "{}",
      "channels/metadata": "",
      "channels/old/0.csv": "Channel\n",
      "channels/0.csv": "Channel\n",
    }, [
      "channels/old: a folder inside a folder of parts. Export without partitions, or move its files up.",
      `customers: a Delta Lake table, ${of_lake}`,
      `interactions.parquet: a Hudi table, ${of_lake}`,
      `products: an Iceberg table, ${of_lake}`,
    ]],
    ["headers, quotes and an empty file", {
      "channels.csv": "",
      "customers.csv": "Name;Age\n",
      "interactions_1.csv": 'Date,Channel,Customers\n1/1/2020,"Email,1\n',
      "interactions_2.csv": "Date,Date,Channel,Customers\n",
      "products.csv": "Month,Product\n1-2020,Sand\n",
    }, [
      "channels.csv: the file is empty. Export it again; a header alone counts.",
      `customers.csv, line 1: no column Customer_Id among "Name", "Age". ${columns}`,
      "interactions_1.csv, line 2: a quote that is never closed. Export the file again, whole and with every quote closed.",
      'interactions_2.csv, line 1: two columns named "Date". Rename or remove one of them.',
    ]],
    ["names of files, columns and a workbook", {
      "customers (1).csv": NO_CUSTOMERS,
      "interactions.csv": "Date,Canal,Customers\n",
      "channels.csv": "<html>",
      "crm.xlsx": xlsx({ customer_list: "", interactions: sheetOf(["Day"]) }),
    }, [
      /^.+ has no file of customers; "customers \(1\)\.csv" is not read: not the name of a table; "crm\.xlsx, sheet customer_list" is not read: not the name of a table\. Put .+\.$/,
      "channels.csv: its name ends in .csv, but it is an HTML page. Export it as CSV, Parquet or .xlsx and replace it.",
      `crm.xlsx, sheet interactions, line 1: no column Date Start, Interaction, Customers among "Day". ${columns}`,
      `interactions.csv, line 1: no column Interaction among "Date", "Canal", "Customers". ${columns}`,
    ]],
    ["a cell of 3 MB", {
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": emails(
        ["01/01/2020", "1"],
        ["01/01/2020", "x".repeat(3e6)],
      ),
    }, [
      /^interactions\.csv, line 3: Maximum line size of \d+ bytes exceeded\. /,
    ]],
  ];
  for (const [name, files, message] of cases) {
    await t.step(name, async () => {
      const lines = (await refusalOf(files)).split("\n");
      assertEquals(lines.length, message.length, lines.join("\n"));
      for (const [i, expected] of message.entries()) {
        if (typeof expected === "string") assertEquals(lines[i], expected);
        else assert(expected.test(lines[i]), lines[i]);
      }
    });
  }
  for (const DATA_DIR of ["/nowhere/to/be/found", "/etc/passwd"]) {
    await t.step(`DATA_DIR=${DATA_DIR}`, async () => {
      const message = await refusalOf({}, { DATA_DIR });
      assert(message.includes(`DATA_DIR=${DATA_DIR}`), message);
      assertEquals(message.split("\n").length, 1);
    });
  }
});

Deno.test("a row that the reader passes over: the file is refused", async () => {
  const customers = "id,Type\n1,x\n2,y\n3,z\n";
  // It cuts the last row off, where DuckDB would read it.
  using _ = failingDuckDb("run", {
    when(sql) {
      const [, path] = /read_csv\('([^']+)'/.exec(String(sql)) ?? [];
      if (path && Deno.statSync(path).size === customers.length) {
        Deno.truncateSync(path, customers.length - "3,z\n".length);
      }
      return false;
    },
  });
  assertEquals(
    await refusalOf({
      "customers.csv": customers,
      "interactions.csv": NO_INTERACTIONS,
    }),
    "customers.csv: 3 rows are in it, and 2 were read. Mend the file, or export it again and replace it whole.",
  );
});

Deno.test("a long cell in a column that is not used: read", async () => {
  await using loaded = await loadTables({
    "customers.csv": csv(["id", "Notes"], ["1", "x".repeat(1e6)], ["2", ""]),
    "interactions.csv": NO_INTERACTIONS,
  });
  assertEquals(loaded.report.customers, 2);
});

Deno.test({
  name: "a file that may not be read: refused, naming it",
  // The superuser may read everything.
  ignore: Deno.uid() === 0,
  async fn() {
    const denied = await Deno.makeTempDir();
    await Deno.writeTextFile(`${denied}/customers.csv`, NO_CUSTOMERS);
    await Deno.writeTextFile(`${denied}/interactions.csv`, NO_INTERACTIONS);
    await Deno.chmod(`${denied}/customers.csv`, 0);
    try {
      const message = await refusalOf({}, { DATA_DIR: denied });
      assert(message.startsWith("customers.csv: "), message);
    } finally {
      await Deno.remove(denied, { recursive: true });
    }
  },
});

Deno.test("data_version: of contents and settings, not of names, times and places", async (t) => {
  const files: Files = {
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": emails(["04/10/2019", "1"]),
    "products.csv": "Month,Product\n10-2019,Sand\n",
  };
  async function versionOf(files: Files, settings = {}): Promise<string> {
    await using loaded = await loadTables(files, settings);
    return loaded.report.data_version;
  }
  const version = await versionOf(files);
  await t.step("16 hex digits", () => {
    assert(/^[0-9a-f]{16}$/.test(version), version);
  });

  const { "customers.csv": customers, ...others } = files;
  const same: [name: string, files: Files, settings?: Files][] = [
    ["another folder, another time, other names, more that is not read", {
      "notes.txt": "x",
      "Customers_2024.csv": customers,
      "external interactions.csv": files["interactions.csv"],
      "products_of_discussion.csv": files["products.csv"],
    }],
    ["settings that change no answer", files, {
      SERVE_FROM: "query",
      CACHE_SECONDS: "60",
      DUCKDB_THREADS: "1",
      MAX_SET_ASIDE: "1",
    } as Files],
  ];
  for (const [name, files, settings] of same) {
    await t.step(`the same: ${name}`, async () => {
      assertEquals(await versionOf(files, settings), version);
    });
  }
  const different: [name: string, files: Files, settings?: Files][] = [
    ["a byte changed", { ...files, "customers.csv": "Customer_Id\n2\n" }],
    ["a file twice", { ...files, "customers_2.csv": customers }],
    ["a file as a part", { ...others, "customers/1.csv": customers }],
    ["DATE_ORDER", files, { DATE_ORDER: "MDY" }],
    ["TIME_ZONE", files, { TIME_ZONE: "Europe/Zurich" }],
    ["CSV_ENCODING", files, { CSV_ENCODING: "shift_jis" }],
  ];
  for (const [name, files, settings] of different) {
    await t.step(`another: ${name}`, async () => {
      assertNotEquals(await versionOf(files, settings), version);
    });
  }
});
