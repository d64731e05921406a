/** Kinds of files: what to say of an export that is another kind than its name says. */

import { assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { kindOf } from "../../../db/intake/file_kind.ts";
import { dataFolder } from "../../support/data_folder.ts";
import { NO_INTERACTIONS, refusalOf } from "../../support/load_folder.ts";
import { utf16le, utf8 } from "../../support/text_bytes.ts";
import { sheetOf, xlsx, zipOf } from "../../support/xlsx_files.ts";

const BOOK = xlsx({ customers: sheetOf(["Customer_Id"], [1]) });
const CSV = "Customer_Id\n1\n";

Deno.test("kindOf", async (t) => {
  const cases: [
    name: string,
    content: string | Uint8Array,
    kind: string | null,
  ][] = [
    ["a CSV", CSV, "text"],
    ["a CSV in UTF-16", utf16le(`\ufeff${CSV}`), "text"],
    ["a CSV that begins with a bracket", '[id],{"a"},Type\n', "text"],
    ["a CSV that begins with a quoted bracket", '"[1]","{a}"\n', "text"],
    ["a CSV of comparisons", "<5,>5\n", "text"],
    ["nothing", "", null],
    ["UTF-16 without a mark", utf16le(CSV), null],
    ["noise", Uint8Array.of(1, 2, 3), null],
    ["a workbook", BOOK, "an Excel workbook"],
    [
      "an OpenDocument spreadsheet",
      zipOf([{
        name: "mimetype",
        content: "application/vnd.oasis.opendocument.spreadsheet",
      }, {
        name: "application/vnd.oasis.opendocument.spreadsheet",
        content: "",
      }]),
      "an OpenDocument spreadsheet",
    ],
    ["a zip", zipOf([{ name: "a.csv", content: CSV }]), "a zip archive"],
    ["gzip", gzipSync(utf8(CSV)), "packed with gzip"],
    ["Parquet", "PAR1....PAR1", "a Parquet file"],
    ["Parquet that is cut", "PAR1....", "a Parquet file"],
    [
      "an old workbook",
      Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1),
      "an old Excel workbook",
    ],
    ["a PDF", "%PDF-1.7\n", "a PDF"],
    ["HTML", "\ufeff\n<!DOCTYPE html><html>", "an HTML page"],
    ["a table of HTML", "<table><tr><td>", "an HTML page"],
    ["XHTML", '<?xml version="1.0"?><html>', "an HTML page"],
    ["XML", '<?xml version="1.0"?><Workbook>', "XML"],
    ["JSON, a list", '[\n  {"id": 1}\n]', "JSON"],
    ["JSON, lines", '{"id": 1}\n{"id": 2}\n', "JSON"],
    ["JSON, nothing", "[]", "JSON"],
  ];
  for (const [name, content, kind] of cases) {
    await t.step(name, async () => {
      await using folder = await dataFolder({ file: content });
      assertEquals(await kindOf(`${folder.path}/file`), kind);
    });
  }
});

Deno.test("an export of another kind than its name says: refused, saying which", async (t) => {
  const cases: [file: string, content: string | Uint8Array, message: string][] =
    [
      [
        "customers.csv",
        BOOK,
        "customers.csv: its name ends in .csv, but it is an Excel workbook. Rename it to customers.xlsx, or export it again.",
      ],
      [
        "customers.csv",
        "PAR1....PAR1",
        "customers.csv: its name ends in .csv, but it is a Parquet file. Rename it to customers.parquet, or export it again.",
      ],
      [
        "customers.tsv",
        gzipSync(utf8(CSV)),
        "customers.tsv: its name ends in .tsv, but it is packed with gzip. Rename it to customers.csv.gz, or export it again.",
      ],
      [
        "customers.csv",
        "<html><body>Please log in</body></html>",
        "customers.csv: its name ends in .csv, but it is an HTML page. Export it as CSV, Parquet or .xlsx and replace it.",
      ],
      [
        "customers.csv",
        '[{"Customer_Id":1}]',
        "customers.csv: its name ends in .csv, but it is JSON. Export it as CSV, Parquet or .xlsx and replace it.",
      ],
      [
        "customers.csv",
        Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1),
        "customers.csv: its name ends in .csv, but it is an old Excel workbook. Export it as CSV, Parquet or .xlsx and replace it.",
      ],
      [
        "customers/part 1.csv.gz",
        CSV,
        "customers/part 1.csv.gz: its name ends in .csv.gz, but it is text. Rename it to part 1.csv, or export it again.",
      ],
      [
        "customers.parquet",
        CSV,
        "customers.parquet: its name ends in .parquet, but it is text. Rename it to customers.csv, or export it again.",
      ],
      [
        "customers.xlsx",
        CSV,
        "customers.xlsx: its name ends in .xlsx, but it is text. Rename it to customers.csv, or export it again.",
      ],
      [
        "customers.xls",
        "<html><table>",
        "customers.xls: its name ends in .xls, but it is an HTML page. Export it as CSV, Parquet or .xlsx and replace it.",
      ],
    ];
  for (const [file, content, message] of cases) {
    await t.step(message.slice(0, message.indexOf(". ")), async () => {
      assertEquals(
        await refusalOf({
          [file]: content,
          "interactions.csv": NO_INTERACTIONS,
        }),
        message,
      );
    });
  }
});
