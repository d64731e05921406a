/** Columns and rows that no mapping can use are said, and those of a sheet that somebody made by hand are found. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Files } from "../support/data_folder.ts";
import { loadTables } from "../support/load_folder.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { suggest } from "../support/suggest_folder.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const CONTACTS = "Contact ID,Name\n1,Ann\n2,Bo\n";

Deno.test("nested values of Parquet are no columns, and are said", async () => {
  const files = {
    "contacts.csv": CONTACTS,
    ...await parquetFiles({
      "calls.parquet":
        "select 1 as contact_id, date '2024-01-31' as start_time, ['a', 'b'] as topics, {'a': 1} as type, map {'a': 1} as status",
    }),
  };
  const { toml, questions } = await suggest(files);
  assert(!/^(topic|channel = "|skip_where)/m.test(toml), toml);
  assert(
    questions.some(({ text }) =>
      text === 'Not read is "topics", "type", "status": its values are nested'
    ),
  );
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  assertEquals(folder.report.interactions, 1);
});

Deno.test("cells of Parquet stand under their own headers, whatever these are", async () => {
  const { sources } = await suggest({
    "contacts.csv": CONTACTS,
    ...await parquetFiles({
      "calls.parquet":
        `select 1 as "Contact ID", 'Ann' as "__proto__", date '2024-01-31' as "Start Time", 'Call' as "Channel", 'hunter2' as "2024", 'x' as "7"`,
    }),
  });
  assertEquals(
    sources.at(-1)!.columns.map(({ column, values }) => [column, ...values]),
    [
      ["Contact ID", '"1"'],
      ["Start Time", '"2024-01-31"'],
      ["Channel", '"Call"'],
    ],
  );
});

Deno.test("of a file in any format, some 4 MiB are read", async (t) => {
  const note = "x".repeat(480);
  const header = ["Contact ID", "Start Time", "Channel", "Note", "Other note"];
  const row = ["1", "2024-01-31", "Call", note, note];
  const rows = [header, ...Array<string[]>(6_000).fill(row)];
  const cases: Files = {
    "calls.csv": `${rows.map((cells) => cells.join(",")).join("\n")}\n`,
    "calls.xlsx": xlsx({ calls: sheetOf(...rows) }),
    ...await parquetFiles({
      "calls.parquet": `select ${
        header.map((name, i) => `'${row[i]}' as "${name}"`)
      } from range(6000)`,
    }),
  };
  for (const [name, content] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { sources } = await suggest({
        "contacts.csv": CONTACTS,
        [name]: content,
      });
      const { rows_seen, is_whole } = sources.at(-1)!;
      // A row has 985 characters.
      assert(rows_seen > 4_200 && rows_seen < 4_500, `${rows_seen}`);
      assertEquals(is_whole, false);
    });
  }
});

Deno.test("only native times of some zone are asked for it", async () => {
  const asks = async (time: string) => {
    const { questions } = await suggest({
      "contacts.csv": CONTACTS,
      ...await parquetFiles({
        "calls.parquet": `select 1 as contact_id, ${time} as start_time`,
      }),
    });
    return questions.some(({ text }) => text.includes("time zone"));
  };
  assert(await asks("timestamp '2024-01-31 10:00'"));
  assert(!await asks("to_timestamp(1706700000)"));
  assert(!await asks("date '2024-01-31'"));
});

Deno.test("two columns of one name are said, in a draft and without one", async () => {
  const { questions, left } = await suggest({
    "clients.csv":
      "Customer Id,Name,name ,City\n1,Ann,Smith,Rome\n2,Bo,Lee,Oslo\n",
    "visits.csv": "Customer Id,Date,Date\n1,2024-01-01,2024-02-01\n",
  });
  const reason = "another column has this name";
  assert(
    questions.some(({ key, text }) =>
      key === "customers" && text.includes(`"Name", "name": ${reason}`)
    ),
  );
  assertStringIncludes(left[0].reason, `"Date": ${reason}`);
});

Deno.test("words that begin as keys do are headers, and a header that is a key is said", async () => {
  const headers = [
    "Asiakas",
    "PK_Customer",
    "SK_ID",
    "pk_customer_reference",
    "Basic price",
    "Bearer name",
    "eyjafjöll",
    "Required **",
  ];
  const { sources } = await suggest({
    "contacts.csv": `Contact ID,Name,${headers.join(",")}\n1,Ann${
      ",x".repeat(headers.length)
    }\n`,
  });
  assertEquals(sources[0].unused, headers);

  const secret = ["sk", "live", "51Habcdefghijkl"].join("_");
  const { questions, toml } = await suggest({
    "contacts.csv": `Contact ID,Name,${secret},${"n".repeat(501)}\n1,Ann,x,y\n`,
  });
  assertEquals(questions.map(({ text }) => text).slice(0, 2), [
    'Not read is "column 3": its header looks like a key or a token: name the columns in the first line',
    'Not read is "column 4": its header is too long for tally.toml',
  ]);
  assert(!toml.includes(secret));
});

Deno.test("a header below a title may lack a name where its column has no value", async () => {
  const files = {
    "Customer list.csv":
      ",,,\nOur customers as of May,,,\n,,,\nNo,Name,,City\n1,Ann,,Rome\n2,Bo,,Oslo\nTotal,2,,\n",
    "visits.csv": "Customer,Day\n1,2024-01-01\n2,2024-01-02\n",
  };
  const { toml } = await suggest(files);
  assertStringIncludes(
    toml,
    'files = "Customer list.csv"\nheader_row = 4\nfooter_rows = 1\n',
  );
  await using folder = await loadTables({ ...files, "tally.toml": toml });
  assertEquals(folder.report.customers, 2);

  const { left } = await suggest({
    "Customer list.csv": "Our customers,,,\nNo,Name,,City\n1,Ann,x,Rome\n",
  });
  assertStringIncludes(left[0].reason, "header");
});

Deno.test("a last row that only looks like a sum is a row", async () => {
  const { sources } = await suggest({
    "contacts.csv": "Name,Contact ID,Email\nShell,1,a@x.org\nTotal,2,b@x.org\n",
  });
  assertEquals(sources.map(({ rows_seen }) => rows_seen), [2]);
});
