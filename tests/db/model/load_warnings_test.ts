/** What a load reports beside its rows: date forms, merges, months without a topic, and warnings in plain words. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  type Settings,
} from "../../support/load_folder.ts";
import type { Files } from "../../support/data_folder.ts";
import { parquetFiles } from "../../support/parquet_files.ts";

const HEADER = "Date Start,Interaction,Customers\n";

async function warningsOf(
  files: Files,
  settings?: Settings,
): Promise<[string, number, string][]> {
  await using loaded = await loadTables(files, settings);
  return loaded.report.warnings.map(({ kind, count, text }) => [
    kind,
    count,
    text,
  ]);
}

Deno.test("warnings", async (t) => {
  const base = {
    "customers.csv": "Customer_Id,Type\n1,Red\n2,Blue\n",
    "products.csv": "Date,Product\n03-2020,Sand\n",
    "interactions.csv": `${HEADER}05/03/2020,Bird,1\n`,
  };
  const table: [name: string, files: Files, [string, number, string][]][] = [
    ["a clean folder has none", base, []],
    ["no rows, no topics", {
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": NO_INTERACTIONS,
    }, []],
    ["customers", {
      ...base,
      "customers.csv": "Customer_Id,Type\n1,Red\n1,Blue\n2,Blue\n2,Blue\n",
      "interactions.csv": `${HEADER}05/03/2020,Bird,1;7;8\n`,
    }, [
      [
        "orphan_customers",
        2,
        "customers known only from interactions, so without type and occupation: 2",
      ],
      [
        "conflicting_customers",
        1,
        "customers with different records; the later record is used: 1",
      ],
    ]],
    ["interactions", {
      ...base,
      "products.csv": "Date,Product\n03-2020,Sand\n01-2078,Sand\n",
      "interactions.csv":
        `${HEADER}05/03/2020,Bird,1\n05/03/2020,Bird,1\n01/01/2078,Call,2\n`,
      "interactions_2.csv": `${HEADER}05/03/2020,Bird,1\n`,
    }, [
      ["future_interactions", 1, "interactions in the future: 1"],
      [
        "duplicate_interactions",
        1,
        "interactions that repeat another; they are counted: 1",
      ],
      [
        "merged_interactions",
        1,
        "interactions in several overlapping exports, counted once: 1",
      ],
    ]],
    ["no file of products", {
      "customers.csv": base["customers.csv"],
      "interactions.csv": `${HEADER}05/03/2020,Bird,1\n06/03/2020,Bird,1\n`,
    }, [[
      "no_topics",
      2,
      "interactions without a topic, because no file names a product: 2",
    ]]],
    ["months without a product", {
      ...base,
      "interactions.csv":
        `${HEADER}31/12/2019,Bird,1\n01/01/2020,Bird,1\n02/01/2020,Bird,1\n05/03/2020,Bird,1\n`,
    }, [[
      "months_without_topic",
      2,
      "months that have interactions but no product, so no topic: 2 (2019-12; 2020-01)",
    ]]],
    ["a topic of its own in a month without a product", {
      ...base,
      "interactions.csv":
        "Date,Event,Customer,Topic\n31/12/2019,Bird,1,Salt\n05/03/2020,Bird,1,\n",
    }, []],
    ["columns and files", {
      ...base,
      "customers.csv": "Customer_Id,Name,Phone\n1,Ann,5\n",
      "customers (1).csv": "",
      "notes.txt": "",
    }, [
      [
        "unknown_columns",
        2,
        "columns of customers.csv that are not used: 2 (Name; Phone)",
      ],
      [
        "ignored_files",
        2,
        "files that are not read: 2 (customers (1).csv: not the name of a table; notes.txt: not .csv, .tsv, .csv.gz, .tsv.gz, .parquet, .xlsx or .zip)",
      ],
    ]],
  ];
  for (const [name, files, expected] of table) {
    await t.step(name, async () => {
      assertEquals(await warningsOf(files), expected);
    });
  }
});

Deno.test("lists end somewhere, counts do not", async () => {
  const junk = Array.from(
    { length: 1_234 },
    (_, i) => `junk_${String(i).padStart(4, "0")}.txt`,
  );
  const columns = Array.from({ length: 300 }, (_, i) => `column ${i}`);
  await using loaded = await loadTables({
    ...Object.fromEntries(junk.map((name) => [name, ""])),
    "customers.csv": `Customer_Id,${columns.join(",")}\n`,
    "interactions.csv": NO_INTERACTIONS,
  });
  const { report } = loaded;
  assertEquals(report.ignored.length, 100);
  assertEquals(report.ignored_files, 1_234);
  assertEquals(report.files[0].unknown_columns.length, 100);
  const [, { text }] = report.warnings;
  assertMatch(
    text,
    /^files that are not read: 1,234 \(junk_0000\.txt: .+; junk_0009\.txt: .+; and 1,224 more\)$/,
  );
});

Deno.test("date forms, a file", async (t) => {
  const forms = async (files: Files, settings?: Settings) => {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      "interactions.csv": NO_INTERACTIONS,
      ...files,
    }, settings);
    return loaded.report.files.flatMap(({ file, date_forms }) =>
      date_forms.map(({ form, rows }) => `${file}: ${rows} ${form}`)
    );
  };
  const written = (...dates: string[]) =>
    HEADER + dates.map((date) => `${date},Bird,1\n`).join("");

  const texts: [string, string][] = [
    ["05/03/2020", "D/M/YYYY"],
    ["5/3/2020", "D/M/YYYY"],
    [" 05/03/2020  9:07 ", "D/M/YYYY"],
    ["05/03/2020 09:07:30", "D/M/YYYY"],
    ["2020-03-05", "YYYY-MM-DD"],
    ["2020-03-05T09:07", "YYYY-MM-DD"],
    ["2020-03-05 09:07:30.123456", "YYYY-MM-DD"],
    ["2020-03-05T09:07Z", "YYYY-MM-DD with an offset"],
    ["2020-03-05T09:07:30Z", "YYYY-MM-DD with an offset"],
    ["2020-03-05 09:07+01", "YYYY-MM-DD with an offset"],
    ["2020-03-05 09:07:30.5-05:30", "YYYY-MM-DD with an offset"],
  ];
  for (const [text, form] of texts) {
    await t.step(text, async () => {
      assertEquals(await forms({ "interactions.csv": written(text) }), [
        `interactions.csv: 1 ${form}`,
      ]);
    });
  }
  await t.step("the most frequent first, without rows set aside", async () => {
    assertEquals(
      await forms({
        "interactions.csv": written(
          "2020-03-05",
          "05/03/2020",
          "05/03/2020",
          "31/02/2020",
        ),
        "interactions_2.csv": written("2020-03-05T09:07Z"),
        "products.csv":
          "Date,Product\n03-2020,Sand\n3/2020,Sand\n2020-03,Sand\n05/03/2020,Sand\n",
      }),
      [
        "products.csv: 2 M-YYYY",
        "products.csv: 1 D/M/YYYY",
        "products.csv: 1 YYYY-MM",
        "interactions.csv: 2 D/M/YYYY",
        "interactions.csv: 1 YYYY-MM-DD",
        "interactions_2.csv: 1 YYYY-MM-DD with an offset",
      ],
    );
  });
  await t.step("the other order", async () => {
    assertEquals(
      await forms({ "interactions.csv": written("03/05/2020") }, {
        DATE_ORDER: "MDY",
      }),
      ["interactions.csv: 1 M/D/YYYY"],
    );
  });
  await t.step("native times", async () => {
    const files = await parquetFiles({
      "interactions.parquet":
        `select timestamp '2020-03-05 10:00' as "Date Start", 'Bird' as "Interaction", 1 as "Customers"`,
      "products.parquet":
        `select date '2020-03-05' as "Date", 'Sand' as "Product"`,
    });
    assertEquals(await forms(files), [
      "products.parquet: 1 native",
      "interactions.parquet: 1 native",
    ]);
  });
});

Deno.test("interactions merged are told of the file that counts for less", async () => {
  await using loaded = await loadTables({
    "customers.csv": NO_CUSTOMERS,
    "interactions_1.csv":
      `${HEADER}01/03/2020,Bird,1\n05/03/2020,Bird,1\n05/03/2020,Bird,1\n`,
    "interactions_2.csv":
      `${HEADER}05/03/2020,Bird,1\n05/03/2020,Bird,1\n05/03/2020,Bird,1\n06/03/2020,Call,2\n`,
    "interactions_3.csv": `${HEADER}05/03/2020,Bird,1;2\n`,
  });
  // Of the four kinds: 1 of 1 March, 3 of 5 March, 1 of 6 March, 1 of customer 2.
  assertEquals(loaded.report.interactions, 6);
  assertEquals(loaded.report.merged_interactions, 3);
  assertEquals(
    loaded.report.files.map(({ file, interactions_merged }) => [
      file,
      interactions_merged,
    ]),
    [
      ["customers.csv", 0],
      ["interactions_1.csv", 0],
      ["interactions_2.csv", 2],
      ["interactions_3.csv", 1],
    ],
  );
});

Deno.test("warnings count what the lists of a file leave out", async () => {
  const names = (name: string) =>
    Array.from({ length: 150 }, (_, i) => `${name}${i}`);
  const cells = Array(450).fill("x").join(",");
  await using loaded = await loadTables({
    "customers.csv": `Customer_Id,Label\n${
      Array.from({ length: 150 }, (_, i) => `${i + 1},Total\n`).join("")
    }`,
    "interactions.csv": `Date Start,Interaction,Customers,${[
      ...names("A"),
      ...Array(150).fill("Event"),
      ...names("B"),
    ]}\n2020-03-05,Bird,1,${cells}\n`,
  });
  const lists = loaded.report.files.map((
    { unknown_columns, passed_over_columns, summary_rows },
  ) => [
    unknown_columns.length,
    passed_over_columns.length,
    summary_rows.length,
  ]);
  assertEquals(lists, [[1, 0, 100], [100, 100, 0]]);
  const counts = loaded.report.warnings.map(({ kind, count }) =>
    `${kind} ${count}`
  );
  assertEquals(counts, [
    "summary_rows 150",
    "no_topics 1",
    "passed_over_columns 150",
    "unknown_columns 1",
    "unknown_columns 300",
  ]);
  assertStringIncludes(
    loaded.report.warnings.at(-1)!.text,
    "columns of interactions.csv that are not used: 300 (A0;",
  );
  assertStringIncludes(loaded.report.warnings.at(-1)!.text, "and 290 more)");
});

Deno.test("the date range and the types", async () => {
  await using loaded = await loadTables({
    "customers.csv": "Customer_Id,Type\n1,Red\n2,blue\n3,Blue\n4,Blue\n5,\n",
    "interactions.csv":
      `${HEADER}05/03/2020 23:59,Bird,1\n2019-01-31,Call,2\n31/12/2078,Call,x\n`,
  });
  const { date_range, types } = loaded.report;
  assertEquals(date_range, { first: "2019-01-31", last: "2020-03-05" });
  assertEquals(types, ["Blue", "Red"]);
});
