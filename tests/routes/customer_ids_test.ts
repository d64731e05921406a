/** Lists of customer_ids: however they are written, the same customers or the same refusal. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { HTTPException } from "hono/http-exception";
import type { Snapshot } from "../../db/store.ts";
import { customerIdsOf } from "../../routes/customer_ids.ts";

const snapshot = {
  customers: {
    ids: "integer",
    names: false,
    numberOf: Number,
    idOf: (number: number) => number,
  },
} as Pick<Snapshot, "customers"> as Snapshot;

function idsOf(text: string) {
  try {
    return customerIdsOf(snapshot, { text, visible: null });
  } catch (error) {
    if (!(error instanceof HTTPException)) throw error;
    return `${error.status} ${error.message}`;
  }
}

const element = fc.oneof(
  { weight: 60, arbitrary: fc.integer({ min: 1, max: 40 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "0",
      "01",
      "",
      "-1",
      "1.5",
      "1e3",
      "x",
      "١",
      "999999999999999",
      "1000000000000000",
      "9007199254740991",
      "9007199254740992",
      "99999999999999999",
    ),
  },
);

Deno.test("customerIdsOf, a list with spaces and one without: the same, in order and each once", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(element, { maxLength: 12 }),
        fc.array(element, { minLength: 95, maxLength: 105 }),
      ),
      (elements) => {
        const ids = idsOf(elements.join());
        assertEquals(ids, idsOf(elements.map((one) => ` ${one} `).join()));
        if (typeof ids === "string") return;
        const numbers = [...new Set(elements.map(Number))];
        assertEquals(ids, numbers.sort((a, b) => a - b));
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("customerIdsOf, what is no id, and too many: refused by name", () => {
  const invalid = "400 Invalid customer_id provided";
  for (const text of ["", ",", "1,", "1,,2", "0", "01", "1,x", "1;2"]) {
    assertEquals(idsOf(text), invalid, text);
  }
  const many = Array.from({ length: 101 }, (_, i) => i + 1);
  const too_many = "400 customer_id takes at most 100 customers.";
  assertEquals(idsOf(many.join()), too_many);
  assertEquals(idsOf(`${many},x`), too_many);
  assertEquals(idsOf("9007199254740991"), [Number.MAX_SAFE_INTEGER]);
  assertEquals(idsOf("9007199254740992"), invalid);
});
