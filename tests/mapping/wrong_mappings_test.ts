/** Wrong and hostile mappings: one line per mistake, which names the place and the remedy. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dataFolder, type Files } from "../support/data_folder.ts";
import {
  loadFolder,
  loadTables,
  messageOfRefusal,
  openStore,
  refusalOf,
} from "../support/load_folder.ts";
import { parquetFiles } from "../support/parquet_files.ts";
import { suggest } from "../support/suggest_folder.ts";
import { sheetOf, xlsx } from "../support/xlsx_files.ts";

const DATA: Files = {
  "customers.csv": "Customer_Id,Type,Phone\n1,a,+49 1\n2,b,+49 2\n",
  "calls.csv": "who,at,how\n1,2020-01-01,Call\n2,2020-01-02,Call\n",
};

/** A source of calls.csv, in which the value of a key may be another one. */
function source(
  keys: Readonly<Record<string, string>> = {},
  more = "",
): string {
  const all = {
    files: '"calls*.csv"',
    customer: '"who"',
    time: '"at"',
    channel: '"how"',
    ...keys,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key} = ${value}`);
  return `[[interactions]]\n${lines.join("\n")}\n${more}\n`;
}

/** The headers 顧客, at and how in Shift-JIS, and a row. */
const SHIFT_JIS = Uint8Array.of(
  ...[0x8c, 0xda, 0x8b, 0x71],
  ...new TextEncoder().encode(",at,how\n1,2020-01-01,Call\n"),
);

/** What is in front of a mistake in a key, and behind it. */
const IN = "tally.toml: interactions[1]";
const MEND = "Mend it as docs/file-contract.md says.";

Deno.test("a wrong tally.toml is refused with one line per mistake", async (t) => {
  const table: [
    name: string,
    toml: string | Uint8Array,
    refusal: string,
    more?: Files,
  ][] = [
    [
      "more than 256 KiB",
      `#${"x".repeat(300_000)}`,
      "tally.toml: more than 262144 bytes. Name several files by one glob.",
    ],
    [
      "broken TOML",
      "customers = false\n[[interactions]\nfiles = 1",
      "tally.toml, line 2: column 16: not valid TOML, expected end of table array declaration. Mend the line, or leave tally.toml out.",
    ],
    [
      "the same key twice",
      "customers = false\ncustomers = false\n",
      "tally.toml, line 2: column 1: not valid TOML, trying to redefine an already defined table or value. Mend the line, or leave tally.toml out.",
    ],
    [
      "an unknown table",
      "custmers = false",
      `tally.toml: there is no key "custmers". Did you mean customers? ${MEND}`,
    ],
    [
      "an unknown key",
      source({ time: '"at"' }, "topc = 'x'"),
      `${IN} has no key "topc". Did you mean topic? ${MEND}`,
    ],
    [
      "a misspelt key is not missing as well",
      source().replace("files", "fils"),
      `${IN} has no key "fils". Did you mean files? ${MEND}`,
    ],
    [
      "an unknown key of a column",
      source({ time: '{ column = "at", fromat = "DMY" }' }),
      `${IN}.time has no key "fromat". Did you mean format? ${MEND}`,
    ],
    [
      "an unknown key of a constant",
      source({ channel: '{ valu = "Call" }' }),
      `${IN}.channel has no key "valu". Did you mean value? ${MEND}`,
    ],
    [
      "an unknown key of customers",
      `[customers]\nfiles = "a"\nid = { column = "b", knd = "text" }`,
      `tally.toml: customers.id has no key "knd". Did you mean kind? ${MEND}`,
    ],
    [
      "keys that do not go together",
      source({ channel: '{ column = "how", value = "x" }' }),
      `${IN}.channel.value does not go with column beside it. ${MEND}`,
    ],
    [
      "a path upwards",
      source({ files: '"../calls.csv"' }),
      `${IN}.files names files in the data folder itself, without a path. ${MEND}`,
    ],
    [
      "an absolute path",
      source({ files: '"/etc/passwd"' }),
      `${IN}.files names files in the data folder itself, without a path. ${MEND}`,
    ],
    [
      "**",
      source({ files: '"**.csv"' }),
      `${IN}.files must not have **. ${MEND}`,
    ],
    [
      "no text",
      source({ files: "1" }),
      `${IN}.files must be a text. ${MEND}`,
    ],
    [
      "neither text nor table",
      source({ time: '["at"]' }),
      `${IN}.time must be a text or a table. ${MEND}`,
    ],
    [
      "a date of TOML",
      source({ time: "2020-01-01" }),
      `${IN}.time must be a text or a table. ${MEND}`,
    ],
    [
      "no table",
      'interactions = "x"',
      `tally.toml: interactions must be a table or a list. ${MEND}`,
    ],
    [
      "no table in a list",
      "interactions = [1]",
      `${IN} must be a table. ${MEND}`,
    ],
    [
      "an empty list",
      "interactions = []",
      `tally.toml: interactions must not be empty. ${MEND}`,
    ],
    [
      "customers = true",
      "customers = true",
      `tally.toml: customers must be false or a table or a list. ${MEND}`,
    ],
    [
      "no whole number",
      source({}, "header_row = 1.5"),
      `${IN}.header_row must be a whole number. ${MEND}`,
    ],
    [
      "line 0",
      source({}, "header_row = 0"),
      `${IN}.header_row must be from 1 to 1000. ${MEND}`,
    ],
    [
      "no list of values",
      source({}, 'skip_where = { how = "Call" }'),
      `${IN}.skip_where.how must be a list. ${MEND}`,
    ],
    [
      "an unknown kind",
      `[customers]\nfiles = "a"\nid = { column = "b", kind = "uuid" }`,
      `tally.toml: customers.id.kind must be integer or text or salesforce. ${MEND}`,
    ],
    [
      "several mistakes",
      "[[interactions]]\nfiles = 1\ntime = 2\n",
      `${IN}.files must be a text. ${MEND}\n${IN}.customer is missing. ${MEND}\n${IN}.time must be a text or a table. ${MEND}\n${IN}.channel is missing. ${MEND}`,
    ],
    [
      "a pattern that looks behind",
      source({ customer: '{ column = "who", pattern = "(?<=a)(b)" }' }),
      'tally.toml: the pattern "(?<=a)(b)" of interactions[1] is not taken: invalid perl operator: (?<. Write it in the syntax of RE2, which has no look-around.',
    ],
    [
      "a pattern of names that looks behind",
      source({ channel: '{ file_name = "(?<=a)(b)" }' }),
      'tally.toml: the pattern "(?<=a)(b)" of interactions[1] is not taken: invalid perl operator: (?<. Write it in the syntax of RE2, which has no look-around.',
    ],
    [
      "a pattern of names without a group",
      source({ channel: '{ file_name = "a" }' }),
      `${IN}.channel.file_name must have exactly one group. ${MEND}`,
    ],
    [
      "a pattern of names that is too large to run",
      source({ channel: '{ file_name = "((?:(?:a{99}){99}){99})" }' }),
      'tally.toml: the pattern "((?:(?:a{99}){99}){99})" of interactions[1] is not taken: invalid repetition size: {99}. Write it in the syntax of RE2, which has no look-around.',
    ],
    [
      "a pattern of names beside a column",
      source({ channel: '{ file_name = "(a)", column = "how" }' }),
      `${IN}.channel.file_name does not go with column beside it. ${MEND}`,
    ],
    [
      "keys that do not go together, beside one that there is not",
      source({ channel: '{ column = "how", value = "x", note = 1 }' }),
      `${IN}.channel.value does not go with column beside it. ${MEND}\n${IN}.channel has no key "note". ${MEND}`,
    ],
    [
      "a pattern of names for another key",
      source({}, 'topic = { file_name = "(a)" }'),
      `${IN}.topic.column is missing. ${MEND}\n${IN}.topic has no key "file_name". ${MEND}`,
    ],
    [
      "a pattern without a group",
      source({ customer: '{ column = "who", pattern = "a" }' }),
      `${IN}.customer.pattern must have exactly one group. ${MEND}`,
    ],
    [
      "a pattern with two groups",
      source({ customer: '{ column = "who", pattern = "(a)(b)" }' }),
      `${IN}.customer.pattern must have exactly one group. ${MEND}`,
    ],
    [
      "a pattern that fits no row",
      source({ customer: '{ column = "who", pattern = "x(a)" }' }),
      'calls.csv, line 2: all 2 rows are set aside, which leaves no interaction: 2 rows, customers "1" in line 2: does not fit the pattern x(a). Check pattern of interactions[1].customer in tally.toml, or mend the rows.',
    ],
    [
      "a format that fits no row",
      source({ time: '{ column = "at", format = "DMY" }' }),
      'calls.csv, line 2: all 2 rows are set aside, which leaves no interaction: 2 rows, date_start "2020-01-01" in line 2: not a time of the form DMY. Check format of interactions[1].time in tally.toml, or mend the rows.',
    ],
    [
      "a format that fits the days up to the twelfth",
      source({ time: '{ column = "at", format = "MDY" }' }),
      'calls.csv, line 8: 6 of 12 rows break a rule, more than MAX_SET_ASIDE=0.1 allows: 6 rows, date_start "13.01.2020" in line 8: not a time of the form MDY. Check format of interactions[1].time in tally.toml, or mend the rows.',
      {
        "calls.csv": `who,at,how\n${
          Array.from({ length: 12 }, (_, i) => `1,${i + 7}.01.2020,Call\n`)
            .join("")
        }`,
      },
    ],
    [
      "a time in two columns, of which the second is wrong",
      source({ time: '{ date = "at", time = "how", format = "DMY" }' }),
      'calls.csv, line 2: all 1 rows are set aside, which leaves no interaction: 1 row, date_start "01.02.2024 25:99" in line 2: not a time of the form DMY. Check format of interactions[1].time in tally.toml, or mend the rows.',
      { "calls.csv": "who,at,how\n1,01.02.2024,25:99\n" },
    ],
    [
      "times in no known form, and no format",
      source(),
      'calls.csv, line 2: all 1 rows are set aside, which leaves no interaction: 1 row, date_start "01-Feb-2024" in line 2: not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59. Write the format of these dates into interactions[1].time in tally.toml, or mend the rows.',
      { "calls.csv": "who,at,how\n1,01-Feb-2024,Call\n" },
    ],
    [
      "ids that are texts, and no kind",
      source(),
      'calls.csv, line 2: all 1 rows are set aside, which leaves no interaction: 1 row, customers "007" in line 2: an id with leading zeros, ids are whole numbers, without them. If these ids are texts, write kind = "text" into id of [customers] in tally.toml, or ids = "text" beside customers = false, or mend the rows.',
      { "calls.csv": "who,at,how\n007,2020-01-01,Call\n" },
    ],
    [
      "a column that has no ids",
      source(),
      'calls.csv, line 2: all 1 rows are set aside, which leaves no interaction: 1 row, customers "x@y" in line 2: not a customer id from 1 to 9007199254740991. Mend the rows, or check interactions[1].customer in tally.toml.',
      { "calls.csv": "who,at,how\nx@y,2020-01-01,Call\n" },
    ],
    [
      "an unknown zone",
      source({ time: '{ column = "at", zone = "Europe/Berln" }' }),
      `${IN}.time.zone must be an IANA time zone such as Europe/Berlin, and is "Europe/Berln". Did you mean Europe/Berlin? ${MEND}`,
    ],
    [
      "a format in another case",
      source({ time: '{ column = "at", format = "dmy" }' }),
      `${IN}.time.format must be one of DMY, MDY, YMD, iso, epoch_s, epoch_ms, excel, or a pattern such as %d.%m.%Y %H:%M. Did you mean DMY? ${MEND}`,
    ],
    [
      "a format that is none",
      source({ time: '{ column = "at", format = "dd.mm.yyyy" }' }),
      `${IN}.time.format must be one of DMY, MDY, YMD, iso, epoch_s, epoch_ms, excel, or a pattern such as %d.%m.%Y %H:%M. ${MEND}`,
    ],
    [
      "a column, and two that are put together",
      source({ time: '{ column = "at", date = "at", time = "how" }' }),
      `${IN}.time.column does not go with date and time beside it. ${MEND}`,
    ],
    [
      "a misspelt kind",
      `[customers]\nfiles = "a"\nid = { column = "b", kind = "txt" }`,
      `tally.toml: customers.id.kind must be integer or text or salesforce. Did you mean text? ${MEND}`,
    ],
    [
      "an offset for a zone",
      source({ time: '{ column = "at", zone = "+02:00" }' }),
      `${IN}.time.zone must be an IANA time zone such as Europe/Berlin, and is "+02:00". ${MEND}`,
    ],
    [
      "a zone of times that have one",
      source({ time: '{ column = "at", format = "epoch_s", zone = "UTC" }' }),
      `${IN}.time.zone has no meaning with epoch_s, which counts from 1970 UTC. ${MEND}`,
    ],
    ...["excel", "epoch_s"].map((format): [string, string, string] => [
      `one number for date and time, ${format}`,
      source({ time: `{ date = "at", time = "who", format = "${format}" }` }),
      `${IN}.time.format is not for date and time: ${format} is one number with its time of day. ${MEND}`,
    ]),
    [
      "a column that no customers have",
      source({ customer: '{ column = "who", match = "Phne" }' }),
      'customers.csv, line 1: no column Phne among "Customer_Id", "Type", "Phone". Did you mean Phne by "Phone"? Mend match in tally.toml.',
    ],
    [
      "a column that no customers have, for several files",
      source({ customer: '{ column = "who", match = "Phne" }' }),
      'customers.csv, line 1: no column Phne among "Customer_Id", "Type", "Phone". Did you mean Phne by "Phone"? Mend match in tally.toml.',
      { "calls_2.csv": DATA["calls.csv"], "calls_3.csv": DATA["calls.csv"] },
    ],
    [
      "a match with customers that are refused themselves",
      source({ customer: '{ column = "who", match = "Phone" }' }),
      'customers.csv, line 1: no column Customer_Id among "Client", "Phone". Name the columns as docs/file-contract.md says.',
      { "customers.csv": "Client,Phone\n1,+49 1\n" },
    ],
    [
      "a match with customers of which a part is refused",
      source({ customer: '{ column = "who", match = "Phone" }' }),
      "customers_2.csv, line 2: a quote that is never closed. Export the file again, whole and with every quote closed.",
      {
        "customers.csv": "Customer_Id\n1\n",
        "customers_2.csv": 'Customer_Id,Phone\n1,"+49 1\n',
      },
    ],
    [
      "match without customers",
      `customers = false\n${
        source({ customer: '{ column = "who", match = "Phone" }' })
      }`,
      "tally.toml: match needs customers, and customers = false says that there are none. Leave match out, or name the files of customers.",
    ],
    [
      "two sources of one file",
      source() + source({ files: '"c*LS.csv"' }),
      "calls.csv: both interactions[1] and interactions[2] of tally.toml match it. Let only one of them name the file.",
    ],
    [
      "a sheet of a text",
      source({}, 'sheet = "x"'),
      "calls.csv: interactions[1] of tally.toml names a sheet, and this is no workbook. Leave sheet out, or name workbooks only.",
    ],
    [
      "a sheet that is not there",
      source({ files: '"book.xlsx"' }, 'sheet = "Cals"'),
      'book.xlsx: no sheet "Cals", which interactions[1] of tally.toml names, among Calls, Notes. Name the sheet as the workbook does.',
      {
        "book.xlsx": xlsx({ Calls: sheetOf(["who"]), Notes: sheetOf(["a"]) }),
      },
    ],
    [
      "two sheets and none named",
      source({ files: '"book.xlsx"' }),
      'book.xlsx: several sheets, and interactions[1] of tally.toml names none of them: Calls, Notes. Write sheet = "Calls", or another of them, into interactions[1] of tally.toml.',
      {
        "book.xlsx": xlsx({ Calls: sheetOf(["who"]), Notes: sheetOf(["a"]) }),
      },
    ],
    [
      "a header below the file",
      source({}, "header_row = 10"),
      "calls.csv: ends above line 10, which header_row of interactions[1] in tally.toml names. Write the line of the header there, or leave header_row out.",
    ],
    [
      "a header below the sheet",
      source({ files: '"book.xlsx"' }, "header_row = 10"),
      "book.xlsx, sheet Calls: ends above line 10, which header_row of interactions[1] in tally.toml names. Write the line of the header there, or leave header_row out.",
      { "book.xlsx": xlsx({ Calls: sheetOf(["who", "at", "how"]) }) },
    ],
    [
      "another line than the header's",
      source({}, "header_row = 2"),
      'calls.csv, line 2: no column at, how, who among "1", "2020-01-01", "Call". Mend interactions[1] in tally.toml.',
    ],
    [
      "a title above the header",
      source(),
      "calls.csv, line 1: a title above the header, which is in line 4. Write header_row = 4 into interactions[1] of tally.toml.",
      { "calls.csv": `Calls of 2020,\n"by\n\n${DATA["calls.csv"]}` },
    ],
    [
      "a header in another encoding than CSV_ENCODING",
      source({ customer: '"顧客"' }),
      'calls.csv, line 1: no column 顧客 among "ŒÚ‹q", "at", "how". Check CSV_ENCODING=windows-1252. Mend interactions[1] in tally.toml.',
      { "calls.csv": SHIFT_JIS },
    ],
    [
      "a misspelt header far to the right",
      source({ customer: '"Lead Idd"' }),
      `calls.csv, line 1: no column Lead Idd among ${
        Array(20).fill('"at"').join(", ")
      } and 280 more. Did you mean Lead Idd by "Lead Id"? Mend interactions[1] in tally.toml.`,
      { "calls.csv": `${"at,".repeat(295)}Lead Id,a,b,c,how\n` },
    ],
    [
      "a header_row of Parquet",
      source({ files: '"calls.parquet"' }, "header_row = 1"),
      "calls.parquet: interactions[1] of tally.toml has header_row, and a Parquet file has no lines. Leave header_row out.",
      await parquetFiles({ "calls.parquet": "select 1 as who" }),
    ],
    [
      "ids of several kinds",
      `[[customers]]\nfiles = "a"\nid = { column = "x", kind = "text" }\n[[customers]]\nfiles = "b"\nid = "x"\n`,
      "tally.toml: customers have ids of several kinds: text, integer. Give each [[customers]] the same kind.",
    ],
    [
      "a prefix of whole numbers",
      source({ customer: '{ column = "who", prefix = "z-" }' }),
      'tally.toml: interactions[1].customer.prefix needs ids that are text. Write kind = "text" into id of [customers], or leave prefix out.',
    ],
    [
      "all rows passed over",
      source({}, 'skip_where = { how = ["CALL"] }'),
      "calls.csv: all 2 rows are passed over. Mend skip_where or keep_where of interactions[1] in tally.toml.",
    ],
    [
      "a footer of more rows than a file has",
      source({}, "footer_rows = 3"),
      "calls.csv: 2 rows, fewer than footer_rows = 3 of interactions[1] in tally.toml. Write there how many rows at the end are no data, or leave footer_rows out.",
      { "calls_2.csv": DATA["calls.csv"] + "1,2020-01-03,Call\n" },
    ],
    [
      "ids beside customers",
      `ids = "text"\n${source()}`,
      "tally.toml: ids is for customers = false; else the kind of ids is that of customers.id. Write kind into id of [customers], and leave ids out.",
    ],
    [
      "__proto__",
      "[__proto__]\nx = 1\n",
      `tally.toml: there is no key "__proto__". ${MEND}`,
    ],
    [
      "toString",
      source({}, "toString = 1"),
      `${IN} has no key "toString". ${MEND}`,
    ],
    [
      "deep nesting",
      `a = ${"[".repeat(20_000)}${"]".repeat(20_000)}`,
      "tally.toml, line 1: column 1005: not valid TOML, document contains excessively nested structures. Mend the line, or leave tally.toml out.",
    ],
    [
      "NUL",
      "a = 1\0",
      "tally.toml, line 1: column 6: not valid TOML, illegal character in numeric literal. Mend the line, or leave tally.toml out.",
    ],
    [
      "a control character in a text",
      source({ time: '"a\\u0000t"' }),
      `${IN}.time must not have control characters. ${MEND}`,
    ],
    [
      "UTF-16",
      Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x3d, 0),
      "tally.toml: bytes that are not UTF-8. Save it as UTF-8.",
    ],
  ];
  for (const [name, toml, refusal, more] of table) {
    await t.step(name, async () => {
      assertEquals(
        await refusalOf({ ...DATA, ...more, "tally.toml": toml }),
        refusal,
      );
    });
  }
});

Deno.test("an export has no rows where it has none, or only those of its footer", async () => {
  await using loaded = await loadTables({
    ...DATA,
    "calls_2.csv": "who,at,how\n",
    "calls_3.csv": "who,at,how\n1,2020-01-03,Call\n,,Call\n,,Call\n",
    "tally.toml": source({}, "footer_rows = 2"),
  });
  assertEquals(
    loaded.report.files.filter(({ table }) => table === "interactions").map((
      { rows_read, rows_passed_over },
    ) => [rows_read, rows_passed_over]),
    [[0, 2], [0, 0], [1, 2]],
  );
});

Deno.test("a draft is refused until its questions are answered", async () => {
  const files = {
    "contacts.csv": "Contact ID,Full Name\n1,Ann\n2,Bo\n",
    "calls.csv":
      "Contact ID,Call Date,Call Type\n1,01/02/2020,Call\n2,03/04/2020,Mail\n",
  };
  const { toml } = await suggest(files);
  const lines = toml.split("\n");
  const line = lines.findIndex((one) => one.startsWith("# CHOOSE")) + 1;
  assert(line > 0, toml);
  assertEquals(
    await refusalOf({ ...files, "tally.toml": toml }),
    `${IN}.time is missing. Answer CHOOSE in line ${line}: remove the # before one of the lines below it, or write the key there.`,
  );
  await using loaded = await loadTables({
    ...files,
    "tally.toml": lines.with(line, lines[line].slice("# ".length)).join("\n"),
  });
  assertEquals(loaded.report.interactions, 2);
});

Deno.test("a question of a draft without lines to choose from asks to write the key", async () => {
  const customers = "Contact ID,Full Name\n1,Ann\n2,Bo\n";
  const asked = async (
    dates: readonly string[],
    answered = (toml: string) => toml,
  ) => {
    const files = {
      "contacts.csv": customers,
      "calls.csv": `Ref,Call Date,Number of items\n${
        dates.map((date, i) => `x${i},${date},7\n`).join("")
      }`,
    };
    const toml = answered((await suggest(files)).toml);
    const lines = toml.split("\n");
    const [problem] = (await refusalOf({ ...files, "tally.toml": toml }))
      .split("\n");
    return problem.replaceAll(
      /\bline (\d+)/g,
      (_, line) => /(?<=CHOOSE: )[^?:]+/.exec(lines[line - 1])![0],
    );
  };
  const write =
    "Answer CHOOSE in Which column names the customer: write the key there.";
  const missing = `${IN}.customer is missing.`;
  assertEquals(
    await asked(["2020-01-31", "2020-02-01"]),
    `${missing} ${write}`,
  );
  const doubtful = ["01/02/2020", "03/04/2020"];
  assertEquals(
    await asked(doubtful, (toml) => toml.replace("# time =", "time =")),
    `${missing} ${write}`,
  );
  assertEquals(
    await asked(doubtful),
    `${missing} Answer CHOOSE in The sample fits each of these forms: remove the # before one of the lines below it, or write the key there. ${write}`,
  );
});

Deno.test("no more than ten mistakes are named", async () => {
  const toml = Array.from({ length: 30 }, (_, i) => `k${i} = 1`).join("\n");
  const refusal = await refusalOf({ ...DATA, "tally.toml": toml });
  assertEquals(refusal.split("\n").length, 10);
});

Deno.test("a byte order mark and CRLF do not matter", async () => {
  const toml = `\ufeff${source()}`.replaceAll("\n", "\r\n");
  await using loaded = await loadTables({ ...DATA, "tally.toml": toml });
  assertEquals(loaded.report.interactions, 2);
});

Deno.test("a tally.toml that is no file refuses the load: without it, the files mean something else", async (t) => {
  const house: Files = {
    "customers.csv": "Customer_Id\n1\n",
    "interactions.csv": "Date,Channel,Customer\n2020-01-01,Call,1\n",
  };
  const table: [
    name: string,
    make: (path: string) => Promise<unknown>,
    problem: string,
  ][] = [
    ["a folder", (path) => Deno.mkdir(path), "a folder"],
    [
      "a pipe",
      (path) => new Deno.Command("mkfifo", { args: [path] }).output(),
      "no regular file",
    ],
    [
      "a link out of the folder",
      (path) => Deno.symlink("/etc/hostname", path),
      "a link out of the data folder",
    ],
    [
      "a link to nothing",
      (path) => Deno.symlink("nothing", path),
      "a link to nothing",
    ],
    [
      "a link to itself",
      (path) => Deno.symlink("tally.toml", path),
      "a link to itself",
    ],
  ];
  for (const [name, make, problem] of table) {
    await t.step(name, async () => {
      await using folder = await dataFolder(house);
      await make(`${folder.path}/tally.toml`);
      assertEquals(
        await messageOfRefusal(() => openStore(folder.path)),
        `tally.toml: ${problem}. Put the file itself into the data folder, or remove it.`,
      );
    });
  }
  await t.step("a link inside the folder is followed", async () => {
    await using folder = await dataFolder({ ...house, ".now": "# none\n" });
    await Deno.symlink(".now", `${folder.path}/tally.toml`);
    await using opened = await openStore(folder.path);
    assertEquals(opened.report.interactions, 1);
  });
});

Deno.test("a glob of many stars is quick, and matches as it says", async () => {
  const name = `${"a".repeat(200)}.csv`;
  const files = {
    "customers.csv": "Customer_Id\n1\n",
    [name]: DATA["calls.csv"],
  };
  const began = performance.now();
  await using loaded = await loadFolder({
    ...files,
    "tally.toml": source({ files: `"${"*a".repeat(100)}*.CSV"` }),
  });
  assertEquals(loaded.report.interactions, 2);
  const refusal = await refusalOf({
    ...files,
    "tally.toml": source({ files: `"${"*a".repeat(150)}b*"` }),
  });
  assertStringIncludes(refusal, "has no file of interactions");
  assert(performance.now() - began < 10_000);
});
