/** Reading staged files: DuckDB reads every text that staging lets through as it stands. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Database } from "../../../db/duckdb/database.ts";
import { textRows } from "../../../db/duckdb/source_view.ts";
import { stageFile } from "../../../db/intake/stage_file.ts";
import { StoreError } from "../../../db/model/problems.ts";
import type { DataFolder } from "../../support/data_folder.ts";
import { withEmptyDatabase } from "../../support/empty_database.ts";

/** A row of channels.csv: its two columns, and what is beyond the header. */
type Cells = [string | null, string | null, string | null];

/** Stages and reads `text` as a file of channels; null when staging refuses it. */
async function read(
  database: Database,
  folder: DataFolder,
  text: string,
): Promise<Cells[] | null> {
  await folder.write({ from: text });
  let rows;
  try {
    const file = await stageFile(
      {
        file: "channels.csv",
        path: `${folder.path}/from`,
        table: "channels",
        format: "text",
        gzip: false,
        part: false,
      },
      `${folder.path}/to`,
      {
        csv_encoding: "windows-1252",
        max_file_bytes: 1e9,
        xlsx_max_bytes: 1e9,
      },
    );
    rows = await database.run(textRows(file, file.text!));
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
  return rows.map((row) => [row.channel, row.aliases, row.extra] as Cells);
}

/** An empty database that knows the rules for cells. */
function withDatabase(
  use: (database: Database, folder: DataFolder) => Promise<void>,
): Promise<void> {
  return withEmptyDatabase(async (database, folder) => {
    await database.runFile("load/1_stage/rules");
    await use(database, folder);
  });
}

Deno.test("textRows, texts and their rows", async (t) => {
  const cases: [name: string, text: string, rows: Cells[]][] = [
    ["a header alone", "Channel,Aliases", []],
    ["no line end at the end", "Channel,Aliases\na,b", [["a", "b", null]]],
    ["LF", "Channel,Aliases\na,b\nc,d\n", [["a", "b", null], ["c", "d", null]]],
    [
      "CRLF",
      "Channel,Aliases\r\na,b\r\nc,d\r\n",
      [["a", "b", null], ["c", "d", null]],
    ],
    [
      "LF and CRLF",
      "Channel,Aliases\na,b\r\nc,d\ne,f\r\n",
      [["a", "b", null], ["c", "d", null], ["e", "f", null]],
    ],
    ["CR", "Channel,Aliases\ra,b\rc,d", [["a", "b", null], ["c", "d", null]]],
    [
      "CR, with LF in a quoted cell",
      'Channel,Aliases\ra,"b\nB"\rc,d\r',
      [["a", "b\nB", null], ["c", "d", null]],
    ],
    [
      "empty lines",
      "Channel,Aliases\n\na,b\n\n\nc,d\n\n",
      [["a", "b", null], ["c", "d", null]],
    ],
    ["empty lines, one column", "Channel\n\na\n\nb\n", [
      ["a", null, null],
      ["b", null, null],
    ]],
    ["a short row", "Channel,Aliases\na\n", [["a", null, null]]],
    ["an empty cell", "Channel,Aliases\na,\n", [["a", "", null]]],
    ["a quoted empty cell", 'Channel,Aliases\na,""\n', [["a", "", null]]],
    ["a long row", "Channel,Aliases\na,b,c\n", [["a", "b", "c"]]],
    ["a longer row", "Channel,Aliases\na,b,c,d,e\n", [["a", "b", "c"]]],
    ["a delimiter too many", "Channel,Aliases\na,b,\n", [["a", "b", ""]]],
    [
      "a long row after short ones",
      "Channel,Aliases\na\nb\na,b,c\n",
      [["a", null, null], ["b", null, null], ["a", "b", "c"]],
    ],
    [
      "columns in another order, between others",
      "x,Aliases,y,Channel\n1,b,2,a\n",
      [["a", "b", null]],
    ],
    ["tabs", "Channel\tAliases\na, b\tc;d\n", [["a, b", "c;d", null]]],
    ["semicolons", "Channel;Aliases\na,b;c|d\n", [["a,b", "c|d", null]]],
    ["bars", "Channel|Aliases\na,b|c;d\n", [["a,b", "c;d", null]]],
    [
      "quoted delimiters, quotes and line breaks",
      'Channel,Aliases\n"a,b","say ""so""\nor not"\n',
      [["a,b", 'say "so"\nor not', null]],
    ],
    ["quotes inside cells", 'Channel,Aliases\n5" pipe,a"b"c\n', [
      ['5" pipe', 'a"b"c', null],
    ]],
    ["spaces around quotes", 'Channel,Aliases\n "a" , "b" \n', [
      ["a", "b", null],
    ]],
    ["NUL", "Channel,Aliases\na\0b,\0\n", [["a\0b", "\0", null]]],
    ["a backslash is no escape", 'Channel,Aliases\na\\,"b\\"\n', [
      ["a\\", "b\\", null],
    ]],
    ["a # is no comment", "Channel,Aliases\n#a,b\n", [["#a", "b", null]]],
    ["NULL is a text here", "Channel,Aliases\nNULL,NULL\n", [
      ["NULL", "NULL", null],
    ]],
    [
      "an empty name in the header, split by tabs",
      'Channel\t\t"Aliases"\na\tx\tb\n',
      [["a", "b", null]],
    ],
    ["a quoted row after an empty name", 'Channel,Aliases,\n"a","b",""\n', [
      ["a", "b", null],
    ]],
  ];
  await withDatabase(async (database, folder) => {
    for (const [name, text, rows] of cases) {
      await t.step(name, async () => {
        assertEquals(await read(database, folder, text), rows);
      });
    }
  });
});

Deno.test("textRows, any text that staging lets through: as it stands", async () => {
  const line_ends = fc.constantFrom("\n", "\r\n", "\r");
  const parts = fc.array(
    fc.constantFrom("a", "é", '"', '"', '"b"', ",", ",", " ", "\t", "\n", "\n"),
    { maxLength: 20 },
  );
  await withDatabase(async (database, folder) => {
    await fc.assert(
      fc.asyncProperty(line_ends, parts, async (line_end, body) => {
        const text = ["Channel,Aliases", "\n", ...body].join("")
          .replaceAll("\n", line_end);
        const rows = await read(database, folder, text);
        if (rows !== null) assertEquals(rows, readByCharacter(text));
      }),
      { numRuns: 400 },
    );
  });
});

/** The rows of a sound text with two columns, in the plainest way. */
function readByCharacter(text: string): Cells[] {
  const rows: Cells[] = [];
  let at = 0;
  while (at < text.length) {
    const line_start = at;
    const cells: string[] = [];
    for (;;) {
      const quote = /^ ?"/.exec(text.slice(at));
      if (quote) {
        const closed = /^((?:[^"]|"")*)" */.exec(
          text.slice(at + quote[0].length),
        )!;
        cells.push(closed[1].replaceAll('""', '"'));
        at += quote[0].length + closed[0].length;
      } else {
        const [plain] = /^[^,\r\n]*/.exec(text.slice(at))!;
        cells.push(plain);
        at += plain.length;
      }
      if (text[at] !== ",") break;
      at++;
    }
    // Rows of delimiters alone have no value.
    const is_empty_line = /^,*$/.test(text.slice(line_start, at));
    at += text.startsWith("\r\n", at) ? 2 : 1;
    if (is_empty_line) continue;
    rows.push([cells[0], cells[1] ?? null, cells[2] ?? null]);
  }
  return rows.slice(1);
}
