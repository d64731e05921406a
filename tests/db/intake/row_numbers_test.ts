/** Row numbers: a record's row, whatever lies between. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
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

Deno.test("RowNumbers, any rows: each as it was noted", () => {
  const gaps = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(1, 1, 1, 2) },
    { weight: 1, arbitrary: fc.constantFrom(3, 127, 128, 129, 1 << 20) },
  );
  fc.assert(
    fc.property(fc.array(gaps, { maxLength: 2_000 }), (steps) => {
      const numbers = new RowNumbers();
      let row = 0;
      const rows = steps.map((step) => row += step);
      for (const one of rows) numbers.add(one);
      assertEquals(rows.map((_, i) => numbers.rowOf(i + 1)), rows);
    }),
    { numRuns: 100 },
  );
});

Deno.test("RowNumbers, more gaps than are kept: the lowest row it can be", () => {
  const numbers = new RowNumbers(64);
  for (let record = 1; record <= 100; record++) numbers.add(2 * record);
  assertEquals([1, 2, 20].map((one) => numbers.rowOf(one)), [2, 4, 40]);
  const far = numbers.rowOf(100);
  assertEquals(far > 100 && far < 200, true);
});
