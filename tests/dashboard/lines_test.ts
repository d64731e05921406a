/** Lines that fit: nothing is lost, nothing is too wide, and no line is broken without need. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { linesOf, placesOf } from "../../dashboard/lines.ts";

const widthOf = (text: string) => Array.from(text).length;
const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => !text.includes(" "));

Deno.test("a text is broken between words, and within one only where it is wider than a line", () => {
  const lines = (text: string) => linesOf(text, { width: 9, widthOf });
  assertEquals(lines("Most: Call"), ["Most:", "Call"]);
  assertEquals(lines("Most it"), ["Most it"]);
  assertEquals(lines("a Donaudampfschiff b"), ["a", "Donaudamp", "fschiff b"]);
  assertEquals(lines(""), [""]);
});

Deno.test("all lines fit, and have all that the text has", () => {
  fc.assert(
    fc.property(
      fc.array(word),
      fc.integer({ min: 1, max: 30 }),
      (words, width) => {
        const text = words.join(" ");
        const lines = linesOf(text, { width, widthOf });
        for (const line of lines) assert(widthOf(line) <= width, line);
        assertEquals(lines.join("").replaceAll(" ", ""), words.join(""));
      },
    ),
  );
});

Deno.test("things stand one after the other, and in the next line where they would not fit", () => {
  assertEquals(placesOf([40, 50, 20, 200, 10], 100), [
    { x: 0, line: 0 },
    { x: 40, line: 0 },
    { x: 0, line: 1 },
    { x: 0, line: 2 },
    { x: 0, line: 3 },
  ]);
});
