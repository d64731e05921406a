/** Which texts are customer_ids, and how lists of them are read. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { byCodePoint } from "../../../db/model/code_points.ts";
import { listElement, splitElements } from "../../../db/model/comma_list.ts";
import { isCustomerId } from "../../../db/model/customer_ids.ts";

Deno.test("isCustomerId", async (t) => {
  const cases: [text: string, integer: boolean, text_id: boolean][] = [
    ["4", true, true],
    ["9007199254740991", true, true],
    ["9007199254740992", false, true],
    ["0", false, true],
    ["007", false, true],
    ["1e2", false, true],
    ["", false, false],
    [".", false, false],
    ["..", false, false],
    ["...", false, true],
    ["a/b", false, true],
    ["%41", false, true],
    ["a\n", false, false],
    ["4\n", false, false],
    ["\0", false, false],
    ["a\u0085b", false, false],
    ["a\u2028b", false, true],
    ["\ud800", false, false],
    ["a".repeat(128), false, true],
    ["a".repeat(129), false, false],
    // A character is a code point.
    ["😀".repeat(128), false, true],
    ["😀".repeat(129), false, false],
  ];
  for (const [text, integer, text_id] of cases) {
    await t.step(JSON.stringify(text.slice(0, 20)), () => {
      assertEquals(isCustomerId(text, "integer"), integer);
      assertEquals(isCustomerId(text, "text"), text_id);
    });
  }
});

Deno.test("a list of elements is read as it is written", () => {
  const element = fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 })
    .map((text) => text.trim()).filter((text) => text !== "");
  fc.assert(
    fc.property(
      fc.array(element, { minLength: 1, maxLength: 5 }),
      (elements) =>
        assertEquals(
          splitElements(elements.map(listElement).join(",")),
          elements,
        ),
    ),
  );
  assertEquals(splitElements(""), null);
  assertEquals(splitElements("a,,b"), null);
  assertEquals(splitElements('"a"b'), null);
});

Deno.test("the order by code point is that of the bytes of UTF-8", () => {
  const text = fc.string({ unit: "binary", maxLength: 5 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const [left, right] = [a, b].map((text) =>
        new TextEncoder().encode(text)
      );
      assertEquals(
        Math.sign(byCodePoint(a, b)),
        Buffer.compare(left, right),
      );
    }),
  );
});

Deno.test("texts are read up to their first difference, however long they are", () => {
  const rest = "a".repeat(10_000);
  const { charCodeAt, codePointAt } = String.prototype;
  let read = 0;
  const counted = (method: typeof charCodeAt | typeof codePointAt) =>
    function (this: string, at: number) {
      read++;
      return method.call(this, at);
    };
  Object.assign(String.prototype, {
    charCodeAt: counted(charCodeAt),
    codePointAt: counted(codePointAt),
  });
  try {
    assertEquals(Math.sign(byCodePoint(`a${rest}`, `b${rest}`)), -1);
  } finally {
    Object.assign(String.prototype, { charCodeAt, codePointAt });
  }
  assert(read < 20, `${read} characters`);
});
