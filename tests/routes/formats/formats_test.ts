/** Every format, read back by programs of others: the same rows. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { unzipSync } from "fflate";
import { HTTPException } from "hono/http-exception";
import type { Cell, Rows, RowsColumn } from "../../../db/model/questions.ts";
import { encodeArrow } from "../../../routes/formats/arrow.ts";
import { encodeCsv } from "../../../routes/formats/csv.ts";
import { encodeParquet } from "../../../routes/formats/parquet.ts";
import { encodeXlsx } from "../../../routes/formats/xlsx.ts";
import { bytesOf, literalRows } from "../../support/literal_rows.ts";
import {
  readArrow,
  readCsv,
  readParquet,
  readXlsx,
} from "../../support/read_back.ts";

type Columns = readonly (readonly [string, RowsColumn["type"]])[];

const COLUMNS: Columns = [
  ["customer_id", "integer"],
  ["type", "text"],
  ["10", "integer"],
  ["change", "number"],
  ["day", "date"],
];
const ROWS: readonly (readonly Cell[])[] = [
  [1, "Red", 0, 0.5, "2020-03-05"],
  [Number.MAX_SAFE_INTEGER, null, 4_294_967_296, -0.25, "1900-03-01"],
  [3, "Grün ☃ 𝒳", 7, null, "2078-12-31"],
  [4, "a,b", 1, 1e-7, null],
  [5, 'say "x"', 1, 0, "1970-01-01"],
  [6, "two\nlines", 1, -1, "1969-12-31"],
  [7, "<b>&amp;_x0041_", 1, 123456.789, "2000-02-29"],
  [8, "NULL", 1, 1, "2024-02-29"],
];
const FORMATS = {
  arrow: encodeArrow,
  parquet: encodeParquet,
  xlsx: encodeXlsx,
};
const READERS = { arrow: readArrow, parquet: readParquet, xlsx: readXlsx };

Deno.test("arrow, parquet and xlsx: every cell comes back with its type", async (t) => {
  for (const name of ["arrow", "parquet", "xlsx"] as const) {
    const roundTrip = async (rows: Rows) =>
      await READERS[name](await bytesOf(FORMATS[name](rows)));
    const header = COLUMNS.map(([name]) => name);
    await t.step(name, async () => {
      const rows = literalRows(COLUMNS, [ROWS.slice(0, 3), ROWS.slice(3)]);
      assertEquals(await roundTrip(rows), [header, ...ROWS]);
    });
    await t.step(`${name}: no rows`, async () => {
      assertEquals(await roundTrip(literalRows(COLUMNS, [])), [header]);
    });
    await t.step(`${name}: columns of nothing`, async () => {
      const none = [[1, null, null, null, null], [2, null, null, null, null]];
      const grid = await roundTrip(literalRows(COLUMNS, [none]));
      // A spreadsheet's reader leaves out what is empty at the end.
      const width = name === "xlsx" ? grid[0].length : 5;
      assertEquals(grid.slice(1).map((row) => row.slice(0, 1)), [[1], [2]]);
      assertEquals(grid[1].length, width);
    });
    await t.step(`${name}: more rows than are written in one go`, async () => {
      // A group is 50,000 rows of five columns; the sheet's reader takes long.
      const count = name === "xlsx" ? 8_000 : 64_000;
      const many = Array.from(
        { length: count },
        (_, i): Cell[] => [
          i + 1,
          i % 3 ? `type ${i % 5}` : null,
          i % 7,
          i / 8,
          i % 2 ? "2020-03-05" : "1999-12-31",
        ],
      );
      const batches = Array.from(
        { length: count / 2_000 },
        (_, i) => many.slice(2_000 * i, 2_000 * (i + 1)),
      );
      const grid = await roundTrip(literalRows(COLUMNS, batches));
      assertEquals(grid.length, count + 1);
      for (const i of [0, 1, 1_999, 2_000, count / 2, count - 1]) {
        assertEquals(grid[i + 1], many[i]);
      }
    });
    await t.step(`${name}: 1,200 columns`, async () => {
      const columns: Columns = Array.from(
        { length: 1_200 },
        (_, i) => [`c${i}`, "integer"],
      );
      const row = columns.map((_, i) => i);
      const rows = Array.from({ length: 300 }, () => row);
      const grid = await roundTrip(literalRows(columns, [rows]));
      assertEquals(grid, [columns.map(([name]) => name), ...rows]);
    });
  }
});

Deno.test("xlsx: the days before March 1900, as Excel numbers them", async () => {
  const days = ["1900-01-01", "1900-02-28", "1900-03-01"];
  const rows = literalRows([["day", "date"]], [days.map((day) => [day])]);
  const entries = unzipSync(await bytesOf(encodeXlsx(rows)));
  const sheet = new TextDecoder().decode(entries["xl/worksheets/sheet1.xml"]);
  assertEquals(
    Array.from(sheet.matchAll(/s="1"><v>(\d+)</g), ([, number]) => number),
    ["1", "59", "61"],
  );
});

Deno.test("xlsx: the styles that openpyxl, and so pandas, cannot do without", async () => {
  const rows = literalRows([["day", "date"]], [[["2020-01-01"]]]);
  const entries = unzipSync(await bytesOf(encodeXlsx(rows)));
  const styles = new TextDecoder().decode(entries["xl/styles.xml"]);
  assertStringIncludes(
    styles,
    '<fill><patternFill patternType="none"/></fill>',
  );
  assertStringIncludes(styles, '<cellStyle name="Normal" ');
});

Deno.test("csv, byte by byte", async (t) => {
  const text = async (rows: Rows, bom = false) =>
    new TextDecoder("utf-8", { ignoreBOM: true })
      .decode(await bytesOf(encodeCsv(rows, { bom })));
  await t.step("numbers, nothing, quotes, line breaks", async () => {
    assertEquals(
      await text(literalRows(COLUMNS, [ROWS.slice(0, 2), ROWS.slice(3, 6)])),
      "customer_id,type,10,change,day\r\n" +
        "1,Red,0,0.5,2020-03-05\r\n" +
        "9007199254740991,,4294967296,-0.25,1900-03-01\r\n" +
        '4,"a,b",1,1e-7,\r\n' +
        '5,"say ""x""",1,0,1970-01-01\r\n' +
        '6,"two\nlines",1,-1,1969-12-31\r\n',
    );
  });
  const formulas: [string, string][] = [
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\tx", "'\tx"],
    ["\rx", `"'\rx"`],
    ["\nx", `"'\nx"`],
    ["＝1+1", "'＝1+1"],
    ["＋1", "'＋1"],
    ["－1", "'－1"],
    ["＠SUM(A1)", "'＠SUM(A1)"],
    ['=HYPERLINK("x","y")', `"'=HYPERLINK(""x"",""y"")"`],
    ["a=b", "a=b"],
    ["'x", "'x"],
  ];
  for (const [name, cell] of formulas) {
    await t.step(
      `text ${JSON.stringify(name)}, as a name and as a cell`,
      async () => {
        assertEquals(
          await text(literalRows([[name, "text"]], [[[name]]])),
          `${cell}\r\n${cell}\r\n`,
        );
      },
    );
  }
  await t.step("a negative number stays one", async () => {
    assertEquals(
      await text(literalRows([["change", "number"]], [[[-0.5]]])),
      "change\r\n-0.5\r\n",
    );
  });
  await t.step("a byte order mark, when asked for", async () => {
    assertEquals(
      await text(literalRows([["x", "text"]], []), true),
      "\ufeffx\r\n",
    );
  });
  await t.step("read back", async () => {
    const rows = literalRows(COLUMNS, [ROWS]);
    assertEquals(
      await readCsv(await bytesOf(encodeCsv(rows, { bom: false }))),
      [
        COLUMNS.map(([name]) => name),
        ...ROWS.map((row) =>
          row.map((cell) => cell === null ? null : String(cell))
        ),
      ],
    );
  });
});

Deno.test("xlsx, more than a sheet holds: a 400 that names csv, before anything", async () => {
  const rows: Rows = {
    ...literalRows([["x", "integer"]], []),
    count: () => Promise.resolve(1_048_576),
  };
  const error = await assertRejects(
    () => encodeXlsx(rows).next(),
    HTTPException,
  );
  assertEquals(error.status, 400);
  assertStringIncludes(error.message, "1048576 rows");
  assertStringIncludes(error.message, "format=csv");
});
