/** What every store shares: its errors, in words for people. */

import { assertEquals } from "@std/assert";
import { type LoadProblem, refused } from "../../../db/model/problems.ts";

Deno.test("refused, one sentence a problem: where, what, what to do", async (t) => {
  const cases: [name: string, problems: LoadProblem[], message: string][] = [
    [
      "a file and a line",
      [{
        file: "customers.csv",
        line: 7,
        problem: "a quote that is never closed",
        remedy: "Close it",
      }],
      "customers.csv, line 7: a quote that is never closed. Close it.",
    ],
    [
      "a file",
      [{ file: "a b.csv", problem: "is cut", remedy: "Export it again" }],
      "a b.csv: is cut. Export it again.",
    ],
    [
      "neither",
      [{ problem: "nothing is there", remedy: "Put something there" }],
      "nothing is there. Put something there.",
    ],
    [
      "what would move the cursor of a terminal",
      [{
        file: "a\nReady\x1b[2J.csv",
        problem: 'no column among "\u009b2J", "\x07"',
        remedy: "Add it",
      }],
      'a\ufffdReady\ufffd[2J.csv: no column among "\ufffd2J", "\ufffd". Add it.',
    ],
    [
      "several",
      [{ problem: "one", remedy: "A" }, {
        file: "x",
        problem: "two",
        remedy: "B",
      }],
      "one. A.\nx: two. B.",
    ],
  ];
  for (const [name, problems, message] of cases) {
    await t.step(name, () => {
      const error = refused(...problems);
      assertEquals([error.kind, error.message], ["refused", message]);
      assertEquals(error.name, "StoreError");
    });
  }
});
