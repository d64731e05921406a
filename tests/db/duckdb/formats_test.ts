/** Formats: whatever kind of file holds them, the same interactions are counted. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { StoreError } from "../../../db/model/problems.ts";
import { createPaint, fullReport } from "../../../operator/terminal.ts";
import { csv, type Files } from "../../support/data_folder.ts";
import { failingDuckDb } from "../../support/failing_duckdb.ts";
import {
  interactionsOf,
  loadFolder,
  loadTables,
  NO_CUSTOMERS,
  NO_INTERACTIONS,
  refusalOf,
} from "../../support/load_folder.ts";
import { int96File } from "../../support/int96_file.ts";
import { parquetFiles } from "../../support/parquet_files.ts";
import { sheetOf, xlsx } from "../../support/xlsx_files.ts";
import { latin, utf16be, utf16le, utf8 } from "../../support/text_bytes.ts";

Deno.test("text formats: delimiters, endings, compression, encodings", async () => {
  const rows = (delimiter: string, id: number, line_end = "\n") =>
    [["Date Start", "Interaction", "Customers"], [
      "04/10/2019 09:00",
      "Zoë",
      `${id}`,
    ]].map((cells) => cells.join(delimiter) + line_end).join("");
  // Each file is a part, so that none is merged with another.
  const files: [
    name: string,
    content: string | Uint8Array,
    encoding: string,
  ][] = [
    ["01 comma.csv", rows(",", 1), "utf-8"],
    ["02 semicolon.csv", rows(";", 2), "utf-8"],
    ["03 tab.csv", rows("\t", 3), "utf-8"],
    ["04 bar.csv", rows("|", 4), "utf-8"],
    ["05 tab.tsv", rows("\t", 5), "utf-8"],
    ["06 comma.tsv", rows(",", 6), "utf-8"],
    ["07 mark.csv", "\ufeff" + rows(",", 7), "utf-8"],
    ["08 crlf.csv", rows(",", 8, "\r\n"), "utf-8"],
    ["09 cr.csv", rows(",", 9, "\r"), "utf-8"],
    ["10 packed.csv.gz", gzipSync(utf8(rows(",", 10))), "utf-8"],
    ["11 packed.tsv.gz", gzipSync(utf8(rows("\t", 11))), "utf-8"],
    [
      "12 members.csv.gz",
      Uint8Array.from([
        ...gzipSync(utf8(NO_INTERACTIONS)),
        ...gzipSync(utf8("04/10/2019,Zoë,12\n")),
      ]),
      "utf-8",
    ],
    ["13 western.csv", latin(rows(",", 13)), "windows-1252"],
    [
      "14 western.csv.gz",
      gzipSync(latin(rows(";", 14))),
      "windows-1252",
    ],
    ["15 wide.csv", utf16le("\ufeff" + rows("\t", 15)), "utf-16le"],
    ["16 wide.csv.gz", gzipSync(utf16le("\ufeff" + rows(",", 16))), "utf-16le"],
    [
      "17 quoted.csv",
      '"Date Start","Notes","Interaction","Customers"\r\n"04/10/2019 09:00","a\r\n""b"", c","Zoë","17"\r\n',
      "utf-8",
    ],
    [
      "18 spaced.csv",
      ' Date_Start , "INTERACTION" ,customers\n "04/10/2019 09:00" , Zoë ,\t18\n',
      "utf-8",
    ],
    ["19 short name.CSV", rows(",", 19), "utf-8"],
    ["20 decomposed.csv", rows(",", 20).normalize("NFD"), "utf-8"],
  ];
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    ...Object.fromEntries(
      files.map(([name, content]) => [`interactions/${name}`, content]),
    ),
  });
  const { snapshot, report } = loaded;
  assertEquals(snapshot.channels, ["Zoë"]);
  for (let id = 1; id <= files.length; id++) {
    assertEquals(
      await interactionsOf(snapshot, id),
      ["2019-10-04 Zoë"],
      files[id - 1][0],
    );
  }
  assertEquals(
    report.files.slice(1).map(({ file, encoding }) => [file, encoding]),
    files.map(([name, , encoding]) => [`interactions/${name}`, encoding]),
  );
});

/** A line of a random text: a row, or an empty one. */
const randomLines = fc.oneof(
  fc.record({
    note: fc.constantFrom(
      "",
      "a",
      "é",
      '"q"',
      '"a\nb"',
      '"\r\n\r\n"',
      '"\r"',
      '"say ""so"", twice"',
    ),
    customer: fc.constantFrom("1", "2", "x"),
  }),
  fc.constantFrom("blank", "delimiters", "more delimiters"),
);

const randomFiles = fc.record({
  lines: fc.array(randomLines, { maxLength: 30 }),
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  line_end: fc.constantFrom("\n", "\r\n", "\r"),
  above: fc.array(fc.constantFrom("", " ", ";;", ","), { maxLength: 3 }),
  sep: fc.boolean(),
  trailing: fc.boolean(),
  last_line_end: fc.boolean(),
  packed: fc.boolean(),
  bytes: fc.constantFrom(
    utf8,
    utf16le,
    utf16be,
    (text: string) => utf8("\ufeff" + text),
  ),
}).map((file) => {
  const { delimiter, trailing, line_end } = file;
  const row = (...cells: string[]) =>
    cells.concat(trailing ? [""] : []).join(delimiter);
  const above = [...file.sep ? [`sep=${delimiter}`] : [], ...file.above];
  const header = ["Date Start", "Note", "Interaction", "Customers"];
  let text = [...above, header.join(delimiter), ""].join(line_end);
  const kept: string[] = [];
  const bad: number[] = [];
  const rows = file.lines.map((line) => {
    if (line === "blank") return "";
    if (line === "delimiters") return delimiter.repeat(3);
    if (line === "more delimiters") return delimiter.repeat(7);
    return row("01/02/2020", line.note, "Email", line.customer);
  });
  for (const [i, line] of rows.entries()) {
    const { customer } = file.lines[i] as { customer?: string };
    const number = text.split(/\r\n|\r|\n/).length;
    if (customer === "x") bad.push(number);
    else if (customer) kept.push(customer);
    text += line + line_end;
  }
  if (!file.last_line_end && rows.length > 0) {
    text = text.slice(0, -line_end.length);
  }
  const bytes = file.bytes(text);
  return {
    name: file.packed ? ".csv.gz" : ".csv",
    content: file.packed ? gzipSync(bytes) : bytes,
    delimiter,
    header_line: above.length + 1,
    kept,
    bad,
    text,
  };
});

Deno.test("any text with empty rows, line breaks in cells and lines above its header: every row, and its line as an editor shows it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(randomFiles, { minLength: 25, maxLength: 25 }),
      async (files) => {
        const nameOf = (i: number) =>
          `interactions/${String(i).padStart(2, "0")}${files[i].name}`;
        await using loaded = await loadTables({
          "customers.csv": NO_CUSTOMERS,
          ...Object.fromEntries(
            files.map(({ content }, i) => [nameOf(i), content]),
          ),
        }, { MAX_SET_ASIDE: "1" });
        const { files: reports, set_aside_listed } = loaded.report;
        for (const [i, file] of files.entries()) {
          const report = reports.find((one) => one.file === nameOf(i))!;
          assertEquals(
            {
              delimiter: report.delimiter,
              header_line: report.header_line,
              rows_kept: report.rows_kept,
              bad: set_aside_listed.filter((one) => one.file === nameOf(i))
                .map(({ line }) => line),
            },
            {
              delimiter: file.delimiter,
              header_line: file.header_line,
              rows_kept: file.kept.length,
              bad: file.bad,
            },
            JSON.stringify(file.text),
          );
        }
        const counts = await loaded.query(
          "select customer_id::integer as id, count(*)::integer as rows from interactions group by all order by all",
        );
        const kept = files.flatMap(({ kept }) => kept);
        assertEquals(
          counts.map(({ id, rows }) => [id, rows]),
          [1, 2].map((id) => [id, kept.filter((one) => one === `${id}`).length])
            .filter(([, rows]) => rows > 0),
        );
      },
    ),
    { numRuns: 4, endOnFailure: true },
  );
});

Deno.test("what was recognised of every file: encoding, delimiter, line of the header", async () => {
  const parquet = await parquetFiles({ id: "select 5 as id" });
  await using loaded = await loadFolder({
    "interactions.csv": NO_INTERACTIONS,
    "customers/1.tsv": "\n\t\nid\tType\n1\tx\n",
    "customers/2.csv.gz": gzipSync(latin("sep=;\r\nid;Type\r\n2;\xeb\r\n")),
    "customers/3.csv": utf16be("id|Type\n3|x\n"),
    "customers/4.xlsx": xlsx({ customers: sheetOf([], ["id"], [4]) }),
    "customers/5.parquet": parquet.id,
  });
  assertEquals(
    loaded.report.files.map((
      { file, encoding, delimiter, header_line, rows_kept },
    ) => [file, encoding, delimiter, header_line, rows_kept]),
    [
      ["customers/1.tsv", "utf-8", "\t", 3, 1],
      ["customers/2.csv.gz", "windows-1252", ";", 2, 1],
      ["customers/3.csv", "utf-16be", "|", 1, 1],
      ["customers/4.xlsx, sheet customers", null, null, 2, 1],
      ["customers/5.parquet", null, null, null, 1],
      ["interactions.csv", "utf-8", ",", 1, 0],
    ],
  );
  const shown = fullReport(loaded.snapshot, {
    warnings: [],
    paint: createPaint(false),
  }).split("\n")
    .slice(3, 9).map((line) => line.replace(/^.*[0-9a-f]{12}\s*/, ""));
  assertEquals(shown, [
    "utf-8         tab        line 3",
    "windows-1252  semicolon  line 2",
    "utf-16be      bar        line 1",
    "row 2",
    "",
    "utf-8         comma      line 1",
  ]);
});

Deno.test("CSV_ENCODING=shift_jis: text that is not UTF-8", async () => {
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    "channels.csv": latin("Channel\n\x93d\x98b\n"),
    "interactions.csv": NO_INTERACTIONS + "1/1/2020,電話,1\n",
  }, { CSV_ENCODING: "shift_jis" });
  assertEquals(await interactionsOf(loaded.snapshot, 1), ["2020-01-01 電話"]);
  assertEquals(
    loaded.report.files.map(({ encoding }) => encoding),
    ["shift_jis", "utf-8", "utf-8"],
  );
});

Deno.test("Parquet: native times and integers as they are, the rest as text", async () => {
  /** Interactions by Email, their times and customers in SQL, the customers of one type. */
  const interactions = (
    type: string,
    ...rows: [time: string, customer: string][]
  ) =>
    rows.map(([time, customer]) =>
      `select ${time} as "Date Start", 'Email' as channel, (${customer})::${type} as customer`
    ).join(" union all ");
  const files = await parquetFiles({
    "interactions/01 bigint.parquet": interactions(
      "bigint",
      ["timestamp '2019-10-04 09:00:00'", "1"],
      ["timestamp '2019-10-04 09:00:00'", "9007199254740991"],
      ["timestamp '2019-10-04 09:00:00'", "9007199254740992"],
      ["timestamp '2019-10-04 09:00:00'", "0"],
      ["timestamp '2019-10-04 09:00:00'", "-4"],
      ["timestamp '2019-10-04 09:00:00'", "null"],
      ["null", "1"],
      ["timestamp '1899-12-31 23:59:59'", "1"],
      ["timestamp '2079-01-01 00:00:00'", "1"],
      ["timestamp 'infinity'", "1"],
      ["timestamp '1900-01-01 00:00:00'", "1"],
      ["timestamp '2078-12-31 23:59:59.999999'", "1"],
    ),
    // Winter and summer of Europe/Zurich.
    "interactions/02 timestamptz.parquet": interactions(
      "integer",
      ["timestamptz '2019-01-31 23:30:00+00'", "2"],
      ["timestamptz '2019-07-31 22:00:00+00'", "2"],
      ["timestamptz '2019-07-31 21:59:59+00'", "2"],
      ["timestamptz '2078-12-31 23:00:00+00'", "2"],
    ),
    "interactions/03 date.parquet": interactions(
      "ubigint",
      ["date '2020-02-29'", "3"],
      ["date '1899-12-31'", "3"],
      ["date '2020-01-01'", "18446744073709551615"],
    ),
    "interactions/04 text.parquet": interactions(
      "varchar",
      ["'04/10/2019 09:00'", "'4'"],
      ["'2019-07-31T22:00:00Z'", "'4;5.0'"],
      ["'29/02/2019'", "'4'"],
      ["''", "'4'"],
      ["'04/10/2019'", "'1,234'"],
      ["'04/10/2019'", "'n/a'"],
    ),
    "interactions/05 double.parquet": interactions(
      "double",
      ["date '2020-01-01'", "6"],
      ["date '2020-01-01'", "9007199254740991"],
      ["date '2020-01-02'", "1.5"],
      ["date '2020-01-03'", "'nan'"],
      ["date '2020-01-04'", "1e16"],
      ["date '2020-01-05'", "-6"],
    ),
    "interactions/06 decimal.parquet": interactions(
      "decimal(18, 2)",
      ["date '2020-01-01'", "7"],
      ["date '2020-01-02'", "7.5"],
    ),
    "interactions/07 hugeint.parquet": interactions(
      "hugeint",
      ["date '2020-01-01'", "8"],
    ),
    "interactions/08 tinyint.parquet": interactions(
      "utinyint",
      ["date '2020-01-01'", "9"],
    ),
    "interactions/09 seconds.parquet": interactions(
      "smallint",
      ["timestamp_s '2020-01-01 23:59:59'", "10"],
    ),
    "interactions/10 nanoseconds.parquet": interactions(
      "integer",
      ["timestamp_ns '2020-01-01 23:59:59.999999999'", "11"],
    ),
    "interactions/11 bytes.parquet":
      `select '04/10/2019' as "Date Start", 'Email'::blob as channel, '12'::blob as customer`,
    "interactions/12 numbers as names.parquet":
      `select date '2020-01-01' as "DATE_START", 42 as event, 13 as "Customer Id", 7 as topic, 1 as x, 2 as "X y"`,
    "interactions/13 no rows.parquet":
      `select date '2020-01-01' as date, 'x' as channel, 1 as customers limit 0`,
    "products.parquet":
      `select date '2020-02-01' as month, 'Sand' as product union all select null, 'x' union all select date '1899-01-01', 'x'`,
    "customers.parquet":
      `select 14::bigint as id, 'Jedi' as occupation, 'Red' as type union all select 9007199254740992, '', '' union all select null, '', ''`,
    "channels.parquet":
      `select 'Post'::enum ('Post', 'Fax') as channel, null as aliases`,
  });
  await using loaded = await loadFolder(files, {
    MAX_SET_ASIDE: "1",
    TIME_ZONE: "Europe/Zurich",
  });
  const { snapshot, report } = loaded;
  const kept: [customer_id: number, interactions: string[] | null][] = [
    [1, ["1900-01-01 Email", "2019-10-04 Email", "2078-12-31 Email"]],
    [9007199254740991, ["2019-10-04 Email", "2020-01-01 Email"]],
    [2, ["2019-02-01 Email", "2019-07-31 Email", "2019-08-01 Email"].sort()],
    [3, ["2020-02-29 Email: Sand"]],
    [4, ["2019-08-01 Email", "2019-10-04 Email"]],
    [5, ["2019-08-01 Email"]],
    [6, ["2020-01-01 Email"]],
    [7, ["2020-01-01 Email"]],
    [8, ["2020-01-01 Email"]],
    [9, ["2020-01-01 Email"]],
    [10, ["2020-01-01 Email"]],
    [11, ["2020-01-01 Email"]],
    [12, ["2019-10-04 Email"]],
    [13, ["2020-01-01 42: 7"]],
    [14, []],
  ];
  for (const [customer_id, interactions] of kept) {
    assertEquals(
      await interactionsOf(snapshot, customer_id),
      interactions,
      `customer ${customer_id}`,
    );
  }
  assertEquals(report.customers, kept.length);
  assertEquals(snapshot.channels, ["42", "Email", "Post"]);

  const not_id = "not a customer id from 1 to 9007199254740991";
  const outside = "outside 1900-01-01 to 2078-12-31";
  assertEquals(
    report.set_aside_listed.map(({ file, line, column, value, reason }) => [
      file.replace("interactions/", "").slice(0, 9),
      line,
      column,
      value,
      reason,
    ]),
    [
      ["products.", 3, "date", null, "no value"],
      ["products.", 4, "date", "1899-01-01 00:00:00", outside],
      ["customers", 3, "customer_id", "9007199254740992", not_id],
      ["customers", 4, "customer_id", null, "no value"],
      ["01 bigint", 4, "customers", "9007199254740992", not_id],
      ["01 bigint", 5, "customers", "0", "no customer"],
      ["01 bigint", 6, "customers", "-4", not_id],
      ["01 bigint", 7, "customers", null, "no customer"],
      ["01 bigint", 8, "date_start", null, "no value"],
      ["01 bigint", 9, "date_start", "1899-12-31 23:59:59", outside],
      ["01 bigint", 10, "date_start", "2079-01-01 00:00:00", outside],
      ["01 bigint", 11, "date_start", "infinity", outside],
      ["02 timest", 5, "date_start", "2079-01-01 00:00:00", outside],
      ["03 date.p", 3, "date_start", "1899-12-31 00:00:00", outside],
      ["03 date.p", 4, "customers", "18446744073709551615", not_id],
      ["04 text.p", 4, "date_start", "29/02/2019", "no such day or time"],
      ["04 text.p", 5, "date_start", "", "no value"],
      [
        "04 text.p",
        6,
        "customers",
        "1,234",
        "ambiguous: one number with grouped digits, or several ids; write ids without grouping, and separate several by ;",
      ],
      ["04 text.p", 7, "customers", "n/a", "no customer"],
      ["05 double", 4, "customers", "1.5", not_id],
      ["05 double", 5, "customers", "nan", "no customer"],
      ["05 double", 6, "customers", "1e+16", not_id],
      ["05 double", 7, "customers", "-6.0", not_id],
      ["06 decima", 3, "customers", "7.50", not_id],
    ],
  );
  const names = report.files.find(({ file }) => file.includes("12 "))!;
  assertEquals([names.unknown_columns, names.encoding], [["x", "X y"], null]);
});

Deno.test("Parquet: times are wall-clock times, ids are exact, whatever their type", async () => {
  const noon = 12n * 3_600_000_000_000n;
  const texts = { Interaction: "Email", Customers: "1" };
  const files = await parquetFiles({
    "interactions/float.parquet":
      `select timestamp '2019-10-05 23:30:00' as timestamp, 'Email' as channel, customer::float as customer
       from (values (123456792), (16777216), (8.5)) rows (customer)`,
  });
  await using loaded = await loadFolder({
    "customers.csv": NO_CUSTOMERS,
    // 2,458,762 days after noon of -4712-01-01 begins 2019-10-05.
    "interactions/int96.parquet": int96File(
      { julian_day: 2_458_762, nanoseconds: 2n * noon - 1_000_000_000n },
      texts,
    ),
    ...files,
  }, { TIME_ZONE: "Pacific/Auckland", MAX_SET_ASIDE: "1" });
  const { snapshot, report } = loaded;
  for (const id of [1, 123456792, 16777216]) {
    assertEquals(
      await interactionsOf(snapshot, id),
      ["2019-10-05 Email"],
      `${id}`,
    );
  }
  assertEquals(report.latest_interaction, "2019-10-05 23:59:59");
  assertEquals(
    report.set_aside_listed.map(({ value, reason }) => [value, reason]),
    [["8.5", "not a customer id from 1 to 9007199254740991"]],
  );
});

Deno.test("Parquet columns that are refused", async (t) => {
  const { wide, twice, fine } = await parquetFiles({
    wide:
      "select timestamp '2020-01-01' as \"Date Start\", 'Email' as interaction, 1::decimal(38, 0) as customers",
    twice:
      "select timestamp '2020-01-01' as \"Date Start\", 'Email' as interaction, {'Customers': 1} as x, 1 as customers, 2 as customerz, 3 as \"Note\", 4 as \"nOte\"",
    fine:
      "select timestamp '2020-01-01' as \"Date Start\", 'Email' as interaction, 1 as customers, 3::decimal(38, 0) as note",
  });
  // DuckDB writes no decimals of 40 digits: 38 and 40 are 4c and 50 in Thrift.
  const widened = (file: Uint8Array) =>
    file.map((byte, at) =>
      byte === 0x4c && file[at - 1] === 0x15 ? 0x50 : byte
    );
  const renamed = (to: string) =>
    latin(text(twice).replaceAll("customerz", to));
  const text = (bytes: Uint8Array) =>
    Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const cases: [name: string, file: Uint8Array, refused: string | null][] = [
    [
      "decimals of more than 38 digits",
      widened(wide),
      'interactions.parquet, line 1: decimals of more than 38 digits in "customers". Write each of these columns as text, a number or a time.',
    ],
    ["decimals of 38 digits", wide, null],
    ["wide decimals that nobody uses", widened(fine), null],
    [
      "a column twice",
      renamed("customers"),
      'interactions.parquet, line 1: two columns named "customers". Rename or remove one of them.',
    ],
    [
      "a column twice but for case",
      renamed("Customers"),
      'interactions.parquet, line 1: two columns named "Customers". Rename or remove one of them.',
    ],
    ["others twice, and a name inside another column", twice, null],
  ];
  for (const [name, file, refused] of cases) {
    await t.step(name, async () => {
      const files = {
        "customers.csv": NO_CUSTOMERS,
        "interactions.parquet": file,
      };
      if (refused !== null) {
        return assertEquals(await refusalOf(files), refused);
      }
      await using tables = await loadTables(files);
      assertEquals(tables.report.interactions, 1);
    });
  }
});

Deno.test("Parquet that is damaged: refused, every file with its name", async (t) => {
  const { whole } = await parquetFiles({
    whole:
      `select timestamp '2020-01-01' + interval (i) minute as date, 'c' || i % 7 as channel, i + 1 as customer
       from range(3000) as numbers (i)`,
  });
  const changed = (at: number, bytes: Uint8Array) => {
    const copy = whole.slice();
    copy.set(bytes, at);
    return copy;
  };
  const end = whole.length - 8;
  const footer = new DataView(whole.buffer).getUint32(end, true);
  const noise = Uint8Array.from({ length: 64 }, (_, i) => i * 37 % 256);
  const damaged: Record<string, Uint8Array> = {
    "cut": whole.slice(0, whole.length - 1),
    "cut in half": whole.slice(0, whole.length / 2),
    "cut at the start": whole.slice(1),
    "only marks": utf8("PAR1....PAR1"),
    "noise between marks": Uint8Array.from([
      ...utf8("PAR1"),
      ...noise,
      ...utf8("PAR1"),
    ]),
    "a footer longer than the file": changed(
      end,
      Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
    ),
    "a footer of no bytes": changed(end, Uint8Array.of(0, 0, 0, 0)),
    "noise at the footer's start": changed(end - footer, noise),
    "noise in the footer": changed(end - (footer >> 1), noise),
    "noise in the first page": changed(4, noise),
    "noise in the data": changed(1000, noise),
  };
  await t.step("whole", async () => {
    await using loaded = await loadTables({
      "customers.csv": NO_CUSTOMERS,
      "interactions.parquet": whole,
    });
    assertEquals(loaded.report.interactions, 3000);
  });
  for (const [name, bytes] of Object.entries(damaged)) {
    await t.step(name, async () => {
      const message = await refusalOf({
        "customers.csv": NO_CUSTOMERS,
        "interactions.parquet": bytes,
      });
      assert(message.startsWith("interactions.parquet: "), message);
      assertEquals(message.split("\n").length, 1);
    });
  }
  await t.step("columns that are missing", async () => {
    const files: Files = await parquetFiles({
      "customers.parquet": "select 1 as number, 'x' as type",
    });
    assertEquals(
      await refusalOf({ ...files, "interactions.csv": NO_INTERACTIONS }),
      'customers.parquet, line 1: no column Customer_Id among "number", "type". Name the columns as docs/file-contract.md says.',
    );
  });
});

Deno.test("Parquet that is damaged: not blamed on disk, memory or Tally", async (t) => {
  const { few, many } = await parquetFiles({
    few: `select 1::decimal(38, 0) as customer_id, 'x' as type, 'y' as "Notes"`,
    many:
      `select i as customer_id, 'type ' || i * 7919 % 100003 as type from range(3000) as numbers (i)`,
  });
  const text = Array.from(few, (byte) => String.fromCharCode(byte)).join("");
  const changed = (at: number, byte: number) => {
    const copy = few.slice();
    copy[at] = byte;
    return copy;
  };
  // In Thrift, 15 is before a whole number of the next field, 26 of the one after it.
  const pages = text.lastIndexOf("&\x08", text.lastIndexOf("&\x08") - 1);
  const many_end = 7 + many.subarray(7).findIndex((byte) => byte < 0x80) + 1;
  const unsound = (detail: string) =>
    `customers.parquet: not a sound Parquet file: ${detail}. Mend the file, or export it again and replace it whole.`;
  const cases: [name: string, file: Uint8Array, message: string][] = [
    [
      "a schema of no columns",
      changed(text.indexOf("duckdb_schema") + "duckdb_schema".length + 1, 0),
      unsound(
        'Failed to read Parquet file "customers.parquet": root schema element has no children',
      ),
    ],
    [
      "a text that goes on behind the end",
      changed(text.indexOf("DuckDB version") - 1, 0x7f),
      unsound(
        `Could not read enough bytes from file "customers.parquet": attempted to read 67 bytes from location ${few.length}`,
      ),
    ],
    [
      "a page before the start",
      changed(pages + 1, 0x07),
      unsound(
        'Could not read from file "customers.parquet": Invalid argument',
      ),
    ],
    [
      "a decimal of -1 digits, which is an internal error of DuckDB",
      changed(text.indexOf("\x15\x4c") + 1, 0x01),
      unsound(
        "Decimal has a width of 255 which is bigger than the maximum supported width of 38",
      ),
    ],
    [
      "a page of 1 GiB",
      Uint8Array.from([
        ...many.subarray(0, 7),
        ...[0xfe, 0xff, 0xff, 0xff, 0x07],
        ...many.subarray(many_end),
      ]),
      "customers.parquet: it asks for 1.0 GiB of memory in one piece, more than DUCKDB_MEMORY_LIMIT. Export it again, or raise DUCKDB_MEMORY_LIMIT.",
    ],
    [
      "a NUL in the name of a column",
      latin(text.replaceAll("Notes", "No\0es")),
      'customers.parquet, line 1: a NUL in the name of a column, "No\\u0000es". Mend the file, or export it again and replace it whole.',
    ],
  ];
  for (const [name, file, message] of cases) {
    await t.step(name, async () => {
      assertEquals(
        await refusalOf({
          "channels.csv": "",
          "customers.parquet": file,
          "interactions.csv": NO_INTERACTIONS,
        }, { DUCKDB_MEMORY_LIMIT: "500MB" }),
        `channels.csv: the file is empty. Export it again; a header alone counts.\n${message}`,
      );
    });
  }
  for (
    const [message, kind] of [
      [
        "Out of Memory Error: failed to allocate data of size 32.0 MiB (470.1 MiB/476.8 MiB used)",
        "full",
      ],
      [
        'IO Error: Could not read from file "/staging/1": Input/output error',
        "unavailable",
      ],
      ["IO Error: No space left on device", "full"],
    ]
  ) {
    await t.step(message, async () => {
      using _ = failingDuckDb("run", {
        when: (sql) => String(sql).includes("read_parquet("),
        message,
      });
      const error = await assertRejects(
        () =>
          loadFolder({
            "customers.parquet": few,
            "interactions.csv": NO_INTERACTIONS,
          }),
        StoreError,
      );
      assertEquals(error.kind, kind);
    });
  }
});

Deno.test("Parquet whose statistics hide ids that are none: refused", async () => {
  const files = await parquetFiles({
    "customers.parquet": "select -77777::bigint as customer_id",
    "interactions.parquet":
      "select timestamp '2020-01-01' as date, 'Email' as channel, -77777::bigint as customer",
  });
  // The statistics stand in the footer.
  for (const file of Object.values(files)) {
    const view = new DataView(file.buffer);
    const end = file.length - 8;
    let found = 0;
    for (let at = end - view.getUint32(end, true); at < end; at++) {
      if (view.getBigInt64(at, true) !== -77777n) continue;
      view.setBigInt64(at, 77777n, true);
      found++;
    }
    assert(found > 0);
  }
  assertEquals(
    await refusalOf(files),
    Object.keys(files).map((file) =>
      `${file}: not a sound Parquet file: its statistics are not of its values. Mend the file, or export it again and replace it whole.`
    ).join("\n"),
  );
});

Deno.test("Parquet that breaks DuckDB: the file is named, and no other is blamed", async () => {
  let is_broken = false;
  using _ = failingDuckDb("run", {
    when: (sql) => is_broken ||= String(sql).includes("read_parquet("),
    message: "INTERNAL Error: Assertion triggered",
  });
  assertEquals(
    await refusalOf({
      "customers.parquet": "PAR1????????PAR1",
      "interactions.csv": NO_INTERACTIONS,
    }),
    "customers.parquet: not a sound Parquet file: Assertion triggered. Mend the file, or export it again and replace it whole.",
  );
});

Deno.test("a gzip file that is cut: refused, naming it", async () => {
  const packed = gzipSync(utf8(csv(["id"], ...Array(50).fill(["1"]))));
  assertEquals(
    await refusalOf({
      "customers.csv.gz": packed.slice(0, -4),
      "interactions.csv": NO_INTERACTIONS,
    }),
    "customers.csv.gz: the gzip data ends too early: the file is cut. Export the file again and replace it whole.",
  );
});
