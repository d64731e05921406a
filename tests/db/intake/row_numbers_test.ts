/** Row numbers: a record's row, whatever lies between. */

import { assertEquals } from "@std/assert";
import { RowNumbers } from "../../../db/intake/row_numbers.ts";

Deno.test("RowNumbers, records and their rows", async (t) => {
  const cases: [name: string, rows: number[]][] = [
    ["without gaps", [1, 2, 3, 4]],
    ["a gap at the start", [3, 4, 5]],
    ["gaps inside", [1, 2, 5, 6, 100, 102, 103]],
    ["every second one", [2, 4, 6, 8, 10, 12, 14]],
    ["the last row there is", [1, 1_048_576]],
  ];
  for (const [name, rows] of cases) {
    await t.step(name, () => {
      const numbers = new RowNumbers();
      for (const row of rows) numbers.add(row);
      assertEquals(rows.map((_, i) => numbers.rowOf(i + 1)), rows);
    });
  }
});
