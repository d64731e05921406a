/** Nasty files: each loads right, is refused, set aside row by row or ignored, with a reason; none is silently wrong. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { StoreError } from "../../../db/model/problems.ts";
import { dataFolder, type Files } from "../../support/data_folder.ts";
import { loadTables, type Settings } from "../../support/load_folder.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../../support/keys.ts";
import { faultLines } from "../../support/log_lines.ts";
import { parquetFiles } from "../../support/parquet_files.ts";
import { startServer } from "../../support/start_server.ts";
import { latin, utf16be, utf16le, utf8 } from "../../support/text_bytes.ts";
import { exportsOf, watchedStore } from "../../support/watched_store.ts";

const CUSTOMERS = "Customer_Id,Occupation,Type\n1,Jedi,Red\n";
const HEADER = "Date Start,Interaction,Customers\n";
const ROW = "01/02/2020,Email,1\n";
const KEPT = "1 Email 2020-02-01";
const COLUMNS = "Name the columns as docs/file-contract.md says.";
const MEND = "Mend the file, or export it again and replace it whole.";
const AGAIN = "Export the file again and replace it whole.";
const NOT_TIME =
  "not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59";
const GROUPED =
  "ambiguous: one number with grouped digits, or several ids; write ids without grouping, and separate several by ;";
const NOT_ID = "not a customer id from 1 to 9007199254740991";

const bytes = (...parts: (Uint8Array | string)[]) =>
  Uint8Array.from(
    parts.flatMap((part) => [
      ...typeof part === "string" ? utf8(part) : part,
    ]),
  );
const utf32le = (text: string) =>
  new Uint8Array(Uint32Array.from(text, (char) => char.codePointAt(0)!).buffer);

/** What lies in a folder, and what a load of it must come to. */
interface Case {
  readonly files: Files;
  /** Makes what is no plain file. */
  readonly make?: (folder: string) => Promise<Deno.Listener | void>;
  readonly settings?: Settings;
  /** The refusal, a line a problem; then nothing else is expected. */
  readonly refused?: string | RegExp;
  /** The interactions as `customer_id channel day`, sorted. */
  readonly kept?: readonly string[];
  /** The customers with a record as `customer_id occupation type`, sorted. */
  readonly customers?: readonly string[];
  /** The rows set aside, as `line column value: reason`. */
  readonly set_aside?: readonly string[];
  /** What is not read, as `file: reason`. */
  readonly ignored?: readonly string[];
}

/** A case of interactions.csv alone. */
const interactions = (
  content: string | Uint8Array,
  expected: Omit<Case, "files">,
): Case => ({ files: { "interactions.csv": content }, ...expected });

/** A case of customers.csv alone. */
const customers = (
  content: string | Uint8Array,
  expected: Omit<Case, "files">,
): Case => ({ files: { "customers.csv": content }, ...expected });

const refusedHeader = (names: string) => ({
  refused:
    `interactions.csv, line 1: no column Date Start, Interaction, Customers among ${names}. ${COLUMNS}`,
});

async function run(command: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(command, { args }).output();
  assert(success, [command, ...args].join(" "));
}

const parquet = await parquetFiles({
  whole: "select 7 as customer_id, 'Sith' as occupation",
  no_rows: "select 7 as customer_id limit 0",
  boolean: "select true as customer_id",
  day: "select date '2020-01-01' as customer_id",
  uuid: "select '1681c13d-fb69-4527-8e48-0fb3e1000000'::uuid as customer_id",
  list: "select [7] as customer_id, {'a': 1} as type",
  map: "select 7 as customer_id, map {'a': 1} as occupation",
  nested_unused: "select 7 as customer_id, [1, 2] as notes",
  not_utf8: "select 7 as customer_id, '\\xFF\\xFE'::blob as type",
  decimal: "select 7::decimal(38, 0) as customer_id",
  doubled: `select 7 as "Customer_Id", 8 as "customer id"`,
  time: "select time '10:00' as date, 'x' as channel, 1 as customers",
});

const CASES: Readonly<Record<string, Case>> = {
  // Encodings.
  "a UTF-8 mark": interactions(`\ufeff${HEADER}${ROW}`, { kept: [KEPT] }),
  "a UTF-8 mark, then a quote": interactions(
    `\ufeff"Date Start",Interaction,Customers\n${ROW}`,
    { kept: [KEPT] },
  ),
  "two UTF-8 marks": interactions(`\ufeff\ufeff${HEADER}${ROW}`, {
    kept: [KEPT],
  }),
  "files put together, the second one's mark and header in the middle":
    interactions(`${HEADER}${ROW}\ufeff${HEADER}\ufeff${ROW}`, {
      kept: [KEPT, KEPT],
      set_aside: [`3 date_start Date Start: ${NOT_TIME}`],
    }),
  "a UTF-8 mark, then bytes that are no UTF-8": interactions(
    latin(`\xef\xbb\xbf${HEADER}01/02/2020,Zo\xeb,1\n`),
    {
      refused:
        'interactions.csv, line 2: a byte in column "Interaction" that is not UTF-8, though the file is. Mend the cell, or export the file again in UTF-8.',
    },
  ),
  "bytes that are no UTF-8, and CSV_ENCODING=utf-8": interactions(
    latin(`${HEADER}01/02/2020,Zo\xeb,1\n`),
    {
      settings: { CSV_ENCODING: "utf-8" },
      refused:
        "interactions.csv: bytes that are not UTF-8. Export the file again in UTF-8, or set CSV_ENCODING.",
    },
  ),
  "windows-1252": interactions(latin(`${HEADER}01/02/2020,Zo\xeb \x80,1\n`), {
    kept: ["1 Zoë € 2020-02-01"],
  }),
  "UTF-16LE": interactions(utf16le(`\ufeff${HEADER}01/02/2020,日本🐦,1\n`), {
    kept: ["1 日本🐦 2020-02-01"],
  }),
  "UTF-16BE": interactions(utf16be(`\ufeff${HEADER}01/02/2020,日本🐦,1\n`), {
    kept: ["1 日本🐦 2020-02-01"],
  }),
  "UTF-16LE without its mark": interactions(utf16le(HEADER + ROW), {
    kept: [KEPT],
  }),
  "UTF-16BE without its mark": interactions(utf16be(HEADER + ROW), {
    kept: [KEPT],
  }),
  "a broken byte in a column that is not used, in UTF-8": interactions(
    bytes(
      "Date Start,Interaction,Customers,Note\n01/02/2020,Zoë,1,né\n",
      "01/02/2020,Zoë,1,n",
      latin("\xe9"),
      "\n",
    ),
    { kept: ["1 Zoë 2020-02-01", "1 Zoë 2020-02-01"] },
  ),
  "a broken byte in a column that is used, in UTF-8": interactions(
    bytes(
      'Date Start,Note,Interaction,Customers\n01/02/2020,"né\nné",Zoë,1\n\n',
      '01/02/2020,"né\nné",Zo',
      latin("\xeb"),
      ",1\n",
    ),
    {
      refused:
        'interactions.csv, line 6: a byte in column "Interaction" that is not UTF-8, though the file is. Mend the cell, or export the file again in UTF-8.',
    },
  ),
  "as many broken bytes as characters of several bytes": interactions(
    bytes(`${HEADER}01/02/2020,Zoë,1\n01/02/2020,Zo`, latin("\xeb"), ",1\n"),
    { kept: ["1 ZoÃ« 2020-02-01", "1 Zoë 2020-02-01"] },
  ),
  "UTF-16 with a byte too many": interactions(
    bytes(utf16le(`\ufeff${HEADER}${ROW}`), "1"),
    { kept: [KEPT], set_aside: [`3 date_start \ufffd: ${NOT_TIME}`] },
  ),
  "UTF-16 with half a character": interactions(
    utf16le(`\ufeff${HEADER}01/02/2020,E\ud800,1\n`),
    { kept: ["1 E\ufffd 2020-02-01"] },
  ),
  "UTF-32": interactions(utf32le(`\ufeff${HEADER}${ROW}`), {
    refused: /^interactions\.csv, line 1: no column Date Start, .+\.$/,
  }),

  // Delimiters and quotes.
  "semicolons, with commas in cells": interactions(
    "Date Start;Interaction;Customers\n01/02/2020;Email, post;1\n",
    { kept: ["1 Email, post 2020-02-01"] },
  ),
  "bars and quotes": interactions(
    '"Date Start"|"Interaction"|"Customers"\n"01/02/2020"|"a|b"|"1|2"\n',
    { kept: ["1 a|b 2020-02-01", "2 a|b 2020-02-01"] },
  ),
  "tabs in .csv": interactions(
    "Date Start\tInteraction\tCustomers\n01/02/2020\tEmail\t1\n",
    { kept: [KEPT] },
  ),
  "commas in .tsv": {
    files: { "interactions.tsv": HEADER + ROW },
    kept: [KEPT],
  },
  "doubled quotes and line breaks in a cell": interactions(
    `${HEADER}01/02/2020,"a ""b""\r\nc",1\n`,
    { kept: ['1 a "b" c 2020-02-01'] },
  ),
  "a quote in the middle of a cell": interactions(
    `${HEADER}01/02/2020,5" disc,1\n`,
    { kept: ['1 5" disc 2020-02-01'] },
  ),
  "a quote escaped with a backslash": interactions(
    `${HEADER}01/02/2020,"a \\"b\\"",1\n`,
    {
      refused:
        'interactions.csv, line 2: a quoted cell that goes on after its closing quote. Write a quote inside a quoted cell twice, as "".',
    },
  ),
  "a quote that is never closed": interactions(`${HEADER}${ROW}"${ROW}`, {
    refused:
      "interactions.csv, line 3: a quote that is never closed. Export the file again, whole and with every quote closed.",
  }),
  "quotes around whole lines": interactions(
    `${HEADER}${ROW}"01/02/2020,Email,1"\n`,
    {
      kept: [KEPT],
      set_aside: [`3 date_start 01/02/2020,Email,1: ${NOT_TIME}`],
    },
  ),
  "single and typographic quotes": interactions(
    `${HEADER}${ROW}'01/02/2020',Email,1\n“01/02/2020”,Email,1\n`,
    {
      kept: [KEPT],
      set_aside: [
        `3 date_start '01/02/2020': ${NOT_TIME}`,
        `4 date_start “01/02/2020”: ${NOT_TIME}`,
      ],
    },
  ),
  "a row with another delimiter": interactions(
    `${HEADER}${ROW}01/02/2020;Email;1\n`,
    {
      kept: [KEPT],
      set_aside: [`3 date_start 01/02/2020;Email;1: ${NOT_TIME}`],
    },
  ),
  "rows that are too short and too long": interactions(
    `${HEADER}01/02/2020\n01/02/2020,Email\n${ROW}01/02/2020,Email,1,\n01/02/2020,Email,1,234\n`,
    {
      kept: [KEPT],
      set_aside: [
        "2 interaction null: no value",
        "3 customers null: no customer",
        "5 row : more cells than the header",
        "6 row 234: more cells than the header",
      ],
    },
  ),
  "a delimiter at the end of every line": interactions(
    "Date Start,Interaction,Customers,\n01/02/2020,Email,1,\n",
    { kept: [KEPT] },
  ),
  "a delimiter more at the end of every row": interactions(
    `${HEADER}01/02/2020,Email,1,\n\n02/02/2020,Email,"1",\n`,
    { kept: [KEPT, "1 Email 2020-02-02"] },
  ),
  "two delimiters more at the end of a row": interactions(
    `${HEADER}01/02/2020,Email,1,\n02/02/2020,Email,1,,\n03/02/2020,Email,1\n`,
    {
      kept: ["1 Email 2020-02-03"],
      set_aside: [
        "2 row : more cells than the header",
        "3 row : more cells than the header",
      ],
    },
  ),
  "a delimiter more at the end of all rows but one": interactions(
    `${HEADER}01/02/2020,Email,1,\n02/02/2020,Email,1\n`,
    {
      kept: ["1 Email 2020-02-02"],
      set_aside: ["2 row : more cells than the header"],
    },
  ),
  "a delimiter more, and a cell behind it": interactions(
    `${HEADER}01/02/2020,Email,1,\n02/02/2020,Email,1,,5\n03/02/2020,Email,1\n`,
    {
      kept: ["1 Email 2020-02-03"],
      set_aside: [
        "2 row : more cells than the header",
        "3 row : more cells than the header",
      ],
    },
  ),
  "rows of delimiters alone": interactions(
    `${HEADER},,\n${ROW},,,,\n01/02/2020,Email,x\n,,`,
    { kept: [KEPT], set_aside: [`5 customers x: ${NOT_ID}`] },
  ),
  "rows of delimiters alone that end in CRLF, with semicolons": interactions(
    `Date Start;Interaction;Customers\r\n;;\r\n01/02/2020;Email;1\r\n\r\n01/02/2020;Email;x\r\n;;\r\n`,
    { kept: [KEPT], set_aside: [`5 customers x: ${NOT_ID}`] },
  ),
  "rows of tabs alone": interactions(
    `Date Start\tInteraction\tCustomers\n\t\t\n01/02/2020\tEmail\t1\n\t\t\n`,
    { kept: [KEPT] },
  ),
  "lines that records begin in": interactions(
    `\n,,\n${HEADER}01/02/2020,"Em\nail\r\n\r",1\n\n01/02/2020,"\n",1\n\n\n01/02/2020,Email,x\n`,
    {
      kept: ["1 Em ail 2020-02-01"],
      set_aside: [
        "9 interaction \n: no value",
        `13 customers x: ${NOT_ID}`,
      ],
    },
  ),

  // Line ends, and lines that are none.
  "CRLF": interactions((HEADER + ROW + ROW).replaceAll("\n", "\r\n"), {
    kept: [KEPT, KEPT],
  }),
  "CR": interactions((HEADER + ROW + ROW).replaceAll("\n", "\r"), {
    kept: [KEPT, KEPT],
  }),
  "LF and CRLF": interactions(`${HEADER}${ROW.trim()}\r\n${ROW}`, {
    kept: [KEPT, KEPT],
  }),
  "CR among LF": interactions(`${HEADER}${ROW.trim()}\r${ROW}`, {
    refused:
      "interactions.csv, line 2: a line that ends in CR where others end in LF or CRLF. Export the file again with one kind of line end.",
  }),
  "CR CR LF, of a text sent as text twice": interactions(
    (HEADER + ROW).replaceAll("\n", "\r\r\n"),
    {
      refused:
        "interactions.csv, line 1: a line that ends in CR where others end in LF or CRLF. Export the file again with one kind of line end.",
    },
  ),
  "line ends of Unicode, which end no line": interactions(
    `${HEADER}01/02/2020,a\u2028b,1\n01/02/2020,a\u0085b,1\n01/02/2020,a\x0bb,1\n`,
    { kept: Array(3).fill("1 a b 2020-02-01") },
  ),
  "no line end at the end": interactions(HEADER + ROW.trim(), { kept: [KEPT] }),
  "an empty file": interactions("", {
    refused:
      "interactions.csv: the file is empty. Export it again; a header alone counts.",
  }),
  "empty lines alone": interactions("\n\r\n\n", refusedHeader('""')),
  "a header alone": interactions(HEADER, { kept: [] }),
  "empty lines between rows and at the end": interactions(
    `${HEADER}\n\n${ROW}\n${ROW}\n\n`,
    { kept: [KEPT, KEPT] },
  ),

  // Headers.
  "no header": interactions(
    ROW + ROW,
    refusedHeader('"01/02/2020", "Email", "1"'),
  ),
  "a title above the header": interactions(
    `Export of 2020\n${HEADER}${ROW}`,
    {
      refused:
        "interactions.csv, line 1: a title above the header, which is in line 2. Delete what is above the header.",
    },
  ),
  "a line for Excel above the header": interactions(
    `sep=,\n${HEADER}${ROW}01/02/2020,Email,x\n`,
    { kept: [KEPT], set_aside: [`4 customers x: ${NOT_ID}`] },
  ),
  "a line for Excel that names another delimiter": interactions(
    `sep=;\n${HEADER}${ROW}`,
    {
      refused:
        `interactions.csv, line 2: no column Date Start, Interaction, Customers among "Date Start,Interaction,Customers". ${COLUMNS}`,
    },
  ),
  "a line for Excel in UTF-16 with tabs": interactions(
    utf16le(
      "\ufeffsep=\t\r\nDate Start\tInteraction\tCustomers\r\n01/02/2020\tEmail\t1\r\n",
    ),
    { kept: [KEPT] },
  ),
  "blank lines and rows of delimiters above the header": interactions(
    `\r\n;;\r\n  \r\n${HEADER}${ROW}`,
    { kept: [KEPT] },
  ),
  "the same column twice": interactions(
    `Date Start,Interaction,Customers,customers\n01/02/2020,Email,1,2\n`,
    {
      refused:
        'interactions.csv, line 1: two columns named "customers". Rename or remove one of them.',
    },
  ),
  "unknown columns, some twice, some without a name": interactions(
    "x,Date Start,,x,Interaction,__proto__,Customers,\na,01/02/2020,b,c,Email,d,1,e\n",
    { kept: [KEPT] },
  ),
  "3,000 columns": customers(
    `Customer_Id,${Array(3_000).fill("x").join(",")}\n7\n`,
    { customers: ["7 null null"] },
  ),
  "a NUL in the header": interactions(`Date Start\0,Interaction,Customers\n`, {
    refused:
      `interactions.csv, line 1: no column Date Start among "Date Start\\u0000", "Interaction", "Customers". Did you mean Date Start by "Date Start\\u0000"? ${COLUMNS}`,
  }),
  "a first line of 10 MB": interactions("x".repeat(1e7), {
    refused:
      "interactions.csv, line 1: a first line of more than 262144 bytes. Name the columns in the first line, then break the line.",
  }),

  // Sizes.
  "a line of 10 MB": interactions(
    `${HEADER}${ROW}01/02/2020,Email,${"1;".repeat(5e6)}1\n${ROW}`,
    {
      refused:
        `interactions.csv, line 3: Maximum line size of 2000000 bytes exceeded. ${MEND}`,
    },
  ),
  "a line of 10 MB below line breaks in quotes": interactions(
    `${HEADER}01/02/2020,"a\n\nb",1\n\n01/02/2020,Email,${
      "1;".repeat(5e6)
    }1\n${ROW}`,
    {
      refused:
        `interactions.csv, line 6: Maximum line size of 2000000 bytes exceeded. ${MEND}`,
    },
  ),
  "10 MB of lines in quotes": interactions(
    `${HEADER}${ROW}01/02/2020,"${"x\n".repeat(5e6)}",1\n`,
    {
      refused:
        `interactions.csv, line 3: Maximum line size of 2000000 bytes exceeded. ${MEND}`,
    },
  ),
  // DuckDB's reader passes over a row that is longer than its buffers.
  "a row of 40 MB at the end": customers(
    `Customer_Id,Type\n101,x\n102,${"a".repeat(4e7)}`,
    {
      refused:
        `customers.csv, line 3: Maximum line size of 2000000 bytes exceeded. ${MEND}`,
    },
  ),
  "a cell of 3 MB in a column that is not used": customers(
    `Customer_Id,Notes\n7,${"x".repeat(3e6)}\n`,
    {
      refused:
        `customers.csv, line 2: Maximum line size of 2000000 bytes exceeded. ${MEND}`,
    },
  ),

  // Cells.
  "NULs": interactions(
    `${HEADER}01/02/2020,Em\0ail,1\n01/02/2020,Email,1\0\n0\0${ROW}01/02/2020,Email,1\0é\n01/02/2020\0é,Email,1\n`,
    {
      kept: ["1 Em\ufffdail 2020-02-01"],
      set_aside: [
        `3 customers 1\0: ${NOT_ID}`,
        `4 date_start 0\x0001/02/2020: ${NOT_TIME}`,
        `5 customers 1\0é: ${NOT_ID}`,
        `6 date_start 01/02/2020\0é: ${NOT_TIME}`,
      ],
    },
  ),
  "NULs in text": customers("id,Occupation,Type\n7,a\0b,Réd\0x\n", {
    customers: ["7 a\ufffdb Réd\ufffdx"],
  }),
  "NULs to the end, as a crash leaves them": interactions(
    bytes(HEADER, ROW, new Uint8Array(300)),
    {
      kept: [KEPT],
      set_aside: [`3 date_start ${"\0".repeat(200)}: ${NOT_TIME}`],
    },
  ),
  "NULs alone": interactions(new Uint8Array(300), {
    refused: /^interactions\.csv, line 1: no column Date Start, .+\.$/,
  }),
  "the end-of-file mark of DOS": interactions(`${HEADER}${ROW}\x1a`, {
    kept: [KEPT],
    set_aside: [`3 date_start \x1a: ${NOT_TIME}`],
  }),
  "control characters and text from right to left": interactions(
    `${HEADER}01/02/2020,\x07\x1b[31m,1\n01/02/2020,بريد,1\n01/02/2020,\u202eliam,1\n`,
    {
      kept: [
        "1 \x07\x1b[31m 2020-02-01",
        "1 بريد 2020-02-01",
        // What turns the text around is not shown.
        "1 liam 2020-02-01",
      ],
    },
  ),
  "emoji of several characters": interactions(
    `${HEADER}01/02/2020,👩‍👩‍👧🏳️‍🌈,1\n`,
    { kept: ["1 👩‍👩‍👧🏳️‍🌈 2020-02-01"] },
  ),
  "formulas": interactions(
    `${HEADER}01/02/2020,=1+1,1\n01/02/2020,@SUM(A1),=1\n=TODAY(),Email,1\n`,
    {
      kept: ["1 =1+1 2020-02-01"],
      set_aside: [
        `3 customers =1: ${NOT_ID}`,
        `4 date_start =TODAY(): ${NOT_TIME}`,
      ],
    },
  ),
  "a sum below the rows, and a comment": interactions(
    `${HEADER}# January\n${ROW}Total,,1\n`,
    {
      kept: [KEPT],
      set_aside: [
        `2 date_start # January: ${NOT_TIME}`,
        `4 date_start Total: ${NOT_TIME}`,
      ],
    },
  ),
  "days in the other order": interactions(
    `${HEADER}01/02/2020,Email,1\n12/31/2020,Email,1\n`,
    {
      refused:
        'interactions.csv, line 3: DATE_ORDER=DMY cannot be right for this file: 1 of its dates, such as date_start "12/31/2020", fit only M/D/YYYY, and none fits only D/M/YYYY. Set DATE_ORDER=MDY.',
    },
  ),
  "days in both orders": interactions(
    `${HEADER}01/02/2020,Email,1\n31/12/2020,Email,1\n12/31/2020,Email,1\n`,
    {
      kept: [KEPT, "1 Email 2020-12-31"],
      set_aside: [
        "4 date_start 12/31/2020: fits only the other order of day and month; see DATE_ORDER",
      ],
    },
  ),
  "ids as spreadsheets and programs mangle them": customers(
    'id\n1.0\n2.50\n1e2\n"1,000"\n-7\n99999999999999999999\n007\n"  "\n',
    {
      customers: ["1 null null"],
      set_aside: [
        `3 customer_id 2.50: ${NOT_ID}`,
        "4 customer_id 1e2: an id with letters; ids are whole numbers, such as 12",
        `5 customer_id 1,000: ${GROUPED}`,
        `6 customer_id -7: ${NOT_ID}`,
        `7 customer_id 99999999999999999999: ${NOT_ID}`,
        "8 customer_id 007: an id with leading zeros; ids are whole numbers, without them",
        "9 customer_id   : no value",
      ],
    },
  ),
  "a thousands separator among several customers": interactions(
    `${HEADER}${ROW}01/02/2020,Email,"1,234"\n`,
    {
      kept: [KEPT],
      set_aside: [`3 customers 1,234: ${GROUPED}`],
    },
  ),

  // Other formats under a table's name.
  "HTML": interactions(
    "<!DOCTYPE html>\n<title>Log in</title>\n",
    {
      refused:
        "interactions.csv: its name ends in .csv, but it is an HTML page. Export it as CSV, Parquet or .xlsx and replace it.",
    },
  ),
  "JSON": interactions(
    '[{"Date Start": "01/02/2020"}]\n',
    {
      refused:
        "interactions.csv: its name ends in .csv, but it is JSON. Export it as CSV, Parquet or .xlsx and replace it.",
    },
  ),
  "a workbook named .csv": interactions(
    latin("PK\x03\x04\x14\0\x06\0\n\0\0\0"),
    {
      refused:
        "interactions.csv: its name ends in .csv, but it is a zip archive. Export it as CSV, Parquet or .xlsx and replace it.",
    },
  ),
  "Parquet named .csv": customers(parquet.whole, {
    refused:
      "customers.csv: its name ends in .csv, but it is a Parquet file. Rename it to customers.parquet, or export it again.",
  }),
  "gzip named .csv": interactions(gzipSync(HEADER + ROW), {
    refused:
      "interactions.csv: its name ends in .csv, but it is packed with gzip. Rename it to interactions.csv.gz, or export it again.",
  }),
  "CSV named .parquet": {
    files: { "customers_2.parquet": CUSTOMERS },
    refused:
      "customers_2.parquet: its name ends in .parquet, but it is text. Rename it to customers_2.csv, or export it again.",
  },
  "CSV named .gz": {
    files: { "interactions.csv.gz": HEADER + ROW },
    refused:
      "interactions.csv.gz: its name ends in .csv.gz, but it is text. Rename it to interactions.csv, or export it again.",
  },
  "an empty .gz": {
    files: { "interactions.csv.gz": "" },
    refused: /^interactions\.csv\.gz.+\.$/,
  },
  "gzip that is cut": {
    files: { "interactions.csv.gz": gzipSync(HEADER + ROW).subarray(0, -9) },
    refused:
      `interactions.csv.gz: the gzip data ends too early: the file is cut. ${AGAIN}`,
  },
  "gzip of two members": {
    files: {
      "interactions.csv.gz": bytes(gzipSync(HEADER + ROW), gzipSync(ROW)),
    },
    kept: [KEPT, KEPT],
  },
  "gzip with something after its end": {
    files: {
      "interactions.csv.gz": bytes(gzipSync(HEADER + ROW), "something"),
    },
    refused: `interactions.csv.gz: not sound gzip data. ${AGAIN}`,
  },
  "gzip in gzip": {
    files: { "interactions.csv.gz": gzipSync(gzipSync(HEADER + ROW)) },
    refused: /^interactions\.csv\.gz, line 1: no column Date Start, .+\.$/,
  },
  "a gzip bomb": {
    files: {
      "interactions.csv.gz": gzipSync(HEADER + ROW.repeat(3e6)),
    },
    settings: { MAX_FILE_BYTES: "2000000" },
    refused:
      "interactions.csv.gz: more than 2000000 bytes unpacked. Split the export, or raise MAX_FILE_BYTES.",
  },

  // Parquet.
  "Parquet that is cut": {
    files: { "customers_2.parquet": parquet.whole.subarray(0, -1) },
    refused:
      `customers_2.parquet: not a whole Parquet file: it must begin and end with PAR1. ${AGAIN}`,
  },
  "Parquet of garbage between its marks": {
    files: { "customers_2.parquet": `PAR1${"garbage ".repeat(9)}PAR1` },
    refused: /^customers_2\.parquet: .+\.$/,
  },
  "Parquet without rows": {
    files: { "customers_2.parquet": parquet.no_rows },
    customers: ["1 Jedi Red"],
  },
  "Parquet with values of the wrong types": {
    files: {
      "customers_2.parquet": parquet.boolean,
      "customers_3.parquet": parquet.day,
      "customers_4.parquet": parquet.uuid,
      "interactions_2.parquet": parquet.time,
    },
    customers: ["1 Jedi Red"],
    kept: [KEPT],
    set_aside: [
      `2 customer_id true: ${NOT_ID}`,
      `2 customer_id 2020-01-01: ${NOT_ID}`,
      "2 customer_id 1681c13d-fb69-4527-8e48-0fb3e1000000: an id with letters; ids are whole numbers, such as 12",
      `2 date_start 10:00:00: ${NOT_TIME}`,
    ],
  },
  "Parquet with nested columns": {
    files: {
      "customers_2.parquet": parquet.list,
      "customers_3.parquet": parquet.map,
    },
    refused: [
      'customers_2.parquet, line 1: nested values in "customer_id", "type". Write each of these columns as text, a number or a time.',
      'customers_3.parquet, line 1: nested values in "occupation". Write each of these columns as text, a number or a time.',
    ].join("\n"),
  },
  "Parquet with a nested column that is not used": {
    files: { "customers_2.parquet": parquet.nested_unused },
    customers: ["1 Jedi Red", "7 null null"],
  },
  "Parquet with text that is not UTF-8": {
    files: { "customers_2.parquet": parquet.not_utf8 },
    refused: /^customers_2\.parquet: .+"customers_2\.parquet".+\.$/,
  },
  "Parquet with a column twice": {
    files: { "customers_2.parquet": parquet.doubled },
    refused:
      'customers_2.parquet, line 1: two columns named "customer id". Rename or remove one of them.',
  },

  // Names, and what is no file.
  "a folder, a pipe and a socket with a table's name": {
    files: { "customers_2.csv/part.csv": "id\n7\n" },
    async make(folder) {
      await run("mkfifo", `${folder}/customers_3.csv`);
      await run("mkfifo", `${folder}/products`);
      const path = `${folder}/customers_4.csv`;
      const socket = Deno.listen({ transport: "unix", path });
      return socket;
    },
    customers: ["1 Jedi Red"],
    ignored: [
      "customers_2.csv: no _SUCCESS in it, so its job has not ended, or it is no folder of Spark",
      "customers_3.csv: not a regular file",
      "customers_4.csv: not a regular file",
      "products: not a regular file",
    ],
  },
  "a folder in the place of a required file": {
    files: { "customers.csv/part.csv": CUSTOMERS },
    refused:
      /^.+ has no file of customers; "customers\.csv" is not read: no _SUCCESS in it, so its job has not ended, or it is no folder of Spark\. Put customers\.csv .+\.$/,
  },
  "a pipe in the place of a .sha256 and a manifest, and in a folder of parts": {
    files: { "products/part.csv": "Month,Product\n1-2020,Sand\n" },
    make: (folder) =>
      run(
        "mkfifo",
        `${folder}/customers.csv.sha256`,
        `${folder}/manifest.json`,
        `${folder}/products/part_2.csv`,
      ),
    kept: [KEPT],
    ignored: ["products/part_2.csv: not a regular file"],
  },
  "links to outside, to nothing and to themselves": {
    files: {},
    async make(folder) {
      await Deno.symlink("/etc/passwd", `${folder}/customers_2.csv`);
      await Deno.symlink("/dev/zero", `${folder}/customers_3.csv`);
      await Deno.symlink("nothing", `${folder}/customers_4.csv`);
      await Deno.symlink("customers_5.csv", `${folder}/customers_5.csv`);
      await Deno.symlink(".", `${folder}/products`);
    },
    customers: ["1 Jedi Red"],
    ignored: [
      "customers_2.csv: a link out of the data folder",
      "customers_3.csv: a link out of the data folder",
      "customers_4.csv: a link to nothing",
      "customers_5.csv: a link to itself",
      "products: a link out of the data folder",
    ],
  },
  "names that are long, with spaces, in Unicode, with quotes and patterns": {
    files: Object.fromEntries([
      `interactions_${"1".repeat(238)}.csv`,
      "INTERACTIONS - 2.CSV",
      "interactions/ü ö.csv",
      "interactions/🐦 'a' \"b\" *.csv",
      "interactions/{1..9}[a-z]?.csv",
      "interactions/$(touch x);`touch y`|&.csv",
      "interactions/-rf --help.csv",
    ].map((name, i) => [name, `${HEADER}0${i + 2}/02/2020,Email,1\n`])),
    kept: [1, 2, 3, 4, 5, 6, 7, 8].map((day) => `1 Email 2020-02-0${day}`),
  },
  "names with line breaks, with other control characters, not UTF-8": {
    files: {
      "interactions/a\nb.csv": HEADER + ROW,
      "interactions/\x1b[2J.csv": HEADER + ROW,
    },
    make: (folder) =>
      run(
        "bash",
        "-c",
        `cp '${folder}/customers.csv' '${folder}/'$'customers_\\xff.csv'`,
      ),
    kept: [KEPT],
    ignored: [
      "customers_\ufffd.csv: a name that is not UTF-8",
      "interactions/\x1b[2J.csv: a control character in its name",
      "interactions/a\nb.csv: a control character in its name",
    ],
  },
};

/** Whether a case brings exports of the table itself. */
const brings = ({ files }: Case, table: string) =>
  Object.keys(files).some((name) =>
    name.startsWith(`${table}.`) && name.split("/").length <= 2
  );

async function check(one: Case): Promise<void> {
  await using folder = await dataFolder({
    ...brings(one, "customers") ? {} : { "customers.csv": CUSTOMERS },
    ...brings(one, "interactions") ? {} : { "interactions.csv": HEADER + ROW },
    ...one.files,
  });
  using _ = await one.make?.(folder.path) ?? null;
  const settings = {
    DATA_DIR: folder.path,
    MAX_SET_ASIDE: "1",
    ...one.settings,
  };

  if (one.refused !== undefined) {
    const message = await loadTables({}, settings).then(
      () => "was not refused",
      (error) => {
        if (error instanceof StoreError) return error.message;
        throw error;
      },
    );
    if (typeof one.refused === "string") assertEquals(message, one.refused);
    else assert(one.refused.test(message), message);
    return;
  }

  await using loaded = await loadTables({}, settings);
  const { report } = loaded;
  const texts = async (sql: string) =>
    (await loaded.query(sql)).map(({ text }) => text as string).sort();
  if (one.kept) {
    assertEquals(
      await texts(
        `select concat_ws(' ', customer_id, channel, strftime(date_start, '%Y-%m-%d')) as text
         from interactions`,
      ),
      one.kept.toSorted(),
    );
  }
  if (one.customers) {
    assertEquals(
      await texts(
        `select concat_ws(' ', customer_id, coalesce(occupation, 'null'), coalesce(type, 'null')) as text
         from customers`,
      ),
      one.customers,
    );
  }
  assertEquals(
    report.set_aside_listed.map(({ line, column, value, reason }) =>
      `${line} ${column} ${value}: ${reason}`
    ),
    one.set_aside ?? [],
  );
  assertEquals(
    report.ignored.map(({ file, reason }) => `${file}: ${reason}`),
    one.ignored ?? [],
  );
  // No row is lost between the two.
  for (const { rows_read, rows_kept, rows_set_aside } of report.files) {
    assertEquals(rows_read, rows_kept + rows_set_aside);
  }
}

Deno.test("nasty files", async (t) => {
  for (const [name, one] of Object.entries(CASES)) {
    await t.step(name, () => check(one));
  }
});

Deno.test("a server given nasty files one after the other serves on, and recovers", async (t) => {
  await using watched = await watchedStore(exportsOf(3), {
    MAX_FILE_BYTES: "2000000",
    SETTLE_SECONDS: "1",
  });
  await watched.until(() => watched.store.snapshot !== null);
  const { data_version } = watched.snapshot;
  const { path } = watched.folder;
  const files: [name: string, content: string | Uint8Array, reason: string][] =
    [
      ["interactions.csv", "", "interactions.csv: the file is empty"],
      ["interactions.csv", new Uint8Array(9_000), "no column Date Start"],
      [
        "interactions.csv",
        HEADER + ROW + '"\n',
        "a quote that is never closed",
      ],
      ["interactions.csv", `\ufeff${HEADER}\n"a"b\n`, "goes on after its"],
      [
        "interactions.csv",
        "x".repeat(1.9e6) + "\n",
        "a first line of more than",
      ],
      [
        "interactions.csv",
        HEADER + ROW.repeat(2e5),
        "more than 2000000 bytes",
      ],
      ["interactions_2.csv.gz", HEADER, "but it is text"],
      [
        "interactions_2.csv.gz",
        gzipSync(HEADER + ROW.repeat(2e5)),
        "more than 2000000 bytes unpacked",
      ],
      ["customers_2.parquet", "PAR1????????PAR1", "customers_2.parquet: "],
      ["customers_2.parquet", parquet.list, "nested values"],
      ["customers_2.parquet", parquet.not_utf8, "not valid UTF8"],
      // A decimal of -1 digits, which is an internal error of DuckDB.
      [
        "customers_2.parquet",
        parquet.decimal.map((byte, at) =>
          byte === 0x4c && parquet.decimal[at - 1] === 0x15 ? 0x01 : byte
        ),
        "customers_2.parquet: not a sound Parquet file: Decimal has a width",
      ],
      ["customers.csv.sha256", "0".repeat(64), "customers.csv: not the bytes"],
      ["manifest.json", '{"files":[{"file":"\\u0000"}]}', "manifest.json: "],
    ];
  for (const [name, content, reason] of files) {
    await t.step(`${name}: ${reason}`, async () => {
      const { history } = watched.store.refreshes;
      const before = history.length;
      // Renamed over, since a file that grows in place is waited for.
      await watched.folder.write({ "next.tmp": content });
      await Deno.rename(`${path}/next.tmp`, `${path}/${name}`);
      await watched.until(() =>
        history.length > before &&
        (history[0].reasons[0]?.includes(reason) ?? false)
      );
      assertEquals(watched.store.refreshes.state, "failed");
      assertEquals(watched.snapshot.data_version, data_version);
      assertEquals(
        Array.from(
          (await watched.snapshot.countByChannel({ customer_id: 1 }))!,
        ),
        [3],
      );
      if (!(name in exportsOf(3))) await Deno.remove(`${path}/${name}`);
      else await watched.folder.write(exportsOf(3));
    });
  }
  await t.step("a pipe in the place of a required file", async () => {
    await Deno.remove(`${path}/interactions.csv`);
    await run("mkfifo", `${path}/interactions.csv`);
    await watched.until(() =>
      watched.store.refreshes.history[0].reasons.join().includes(
        "no file of interactions",
      )
    );
    assertEquals(watched.snapshot.data_version, data_version);
    await Deno.remove(`${path}/interactions.csv`);
  });
  await t.step("good ones again", async () => {
    await watched.folder.write(exportsOf(4));
    await watched.until(() => watched.snapshot.row_counts.interactions === 4);
    assertEquals(watched.store.refreshes.state, "serving");
    assertEquals(watched.store.problem, null);
    // What else is logged is a bug.
    const files_not_read = "New in DATA_DIR and not read: ";
    assertEquals(
      watched.logged.filter((text) => !text.startsWith(files_not_read)),
      [],
    );
  });
});

// The superuser may read everything, but for a process without that right.
const UNPRIVILEGED = [
  "setpriv",
  "--bounding-set=-dac_override,-dac_read_search",
  "--inh-caps=-dac_override,-dac_read_search",
];
const is_superuser = Deno.uid() === 0;

Deno.test({
  name: "what may not be read is named, once, and read when it may be",
  ignore: is_superuser &&
    !await run(UNPRIVILEGED[0], "--version").then(() => true, () => false),
  async fn(t) {
    await using folder = await dataFolder({
      ...exportsOf(3),
      "products/part.csv": "Month,Product\n1-2020,Sand\n",
      "customers.csv.sha256": "",
      "channels.csv.gz": gzipSync("Channel\nFax\n"),
    });
    const { path } = folder;
    await Deno.remove(`${path}/customers.csv.sha256`);
    await Deno.chmod(`${path}/customers.csv`, 0);
    await using server = await startServer(
      { DATA_DIR: path, REFRESH_SECONDS: "1", ADMIN_KEY_SHA256 },
      { under: is_superuser ? UNPRIVILEGED : [] },
    );
    const latest = async () => {
      const answer = await fetch(`${server.base_url}/api/v1/data/history`);
      const { data } = await answer.json();
      return { refreshes: data.length, ...data[0] };
    };
    const until = async (state: string, reason?: string) => {
      for (let i = 0; i < 200; i++) {
        const refresh = await latest();
        if (
          refresh.state === state && (!reason || refresh.reasons[0] === reason)
        ) return refresh;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw new Error(`waited in vain; ${JSON.stringify(await latest())}`);
    };
    const refusalOf = (file: string) =>
      `${file}: may not be read. Make it readable for the user that this process runs as.`;

    for (
      const [name, mode, file] of [
        ["customers.csv", 0o600, "customers.csv"],
        ["channels.csv.gz", 0o600, "channels.csv.gz"],
        ["products", 0o700, "products"],
      ] as const
    ) {
      await t.step(name, async () => {
        await Deno.chmod(`${path}/${name}`, 0);
        const { refreshes } = await until("failed", refusalOf(file));
        // Looked at again, and told of once.
        await new Promise((resolve) => setTimeout(resolve, 1_200));
        assertEquals((await latest()).refreshes, refreshes);
        await Deno.chmod(`${path}/${name}`, mode);
        // So that there is something to go live with.
        await folder.write(exportsOf(refreshes + 4));
        await until("serving");
      });
    }

    const customers = exportsOf(3)["customers.csv"] as string;
    const sha256 = createHash("sha256").update(customers).digest("hex");
    await folder.write({
      "customers.csv": customers,
      "customers.csv.sha256": sha256,
      "manifest.json": JSON.stringify({
        files: [{ file: "customers.csv", sha256, bytes: customers.length }],
      }),
      "tally.toml": "# as Tally names it\n",
    });
    const send = async (
      path: string,
      { headers, ...init }: RequestInit & { headers?: Record<string, string> },
    ) => {
      const answer = await fetch(`${server.base_url}/api/v1/data/${path}`, {
        headers: { Authorization: `Bearer ${ADMIN_KEY}`, ...headers },
        ...init,
      });
      return await answer.text();
    };
    const inTheWay = (proof: string) =>
      `customers.csv could not go live: ${proof} may not be read.`;
    for (
      const [file, checked, replaced] of [
        // The file that is sent takes its place.
        ["customers.csv", '"reasons":[]', refusalOf("customers.csv")],
        ...["customers.csv.sha256", "manifest.json"].map((proof) =>
          [proof, inTheWay(proof), inTheWay(proof)] as const
        ),
        // As a broken one, it keeps out nothing that is named after a table.
        ["tally.toml", refusalOf("tally.toml"), sha256],
      ] as const
    ) {
      await t.step(`${file}, not what stands beside it`, async () => {
        await Deno.chmod(`${path}/${file}`, 0);
        const { reasons } = await until("failed", refusalOf(file));
        assertEquals(reasons, [refusalOf(file)]);
        assertStringIncludes(await send("files", {}), refusalOf(file));
        const body = customers;
        assertStringIncludes(
          await send("check/customers.csv", { method: "POST", body }),
          checked,
        );
        const headers = { "If-Match": `"${sha256}"` };
        assertStringIncludes(
          await send("files/customers.csv", { method: "PUT", headers, body }),
          replaced,
        );
        await Deno.chmod(`${path}/${file}`, 0o600);
        await until("serving");
      });
    }
    assertEquals(faultLines(server.output.error), []);
  },
});
