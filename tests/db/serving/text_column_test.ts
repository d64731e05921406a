/** Columns of texts: each comes back as it was, and is found where it stands. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type TextColumn,
  TextColumnWriter,
} from "../../../db/serving/text_column.ts";

function columnOf(texts: readonly string[]): TextColumn {
  const writer = new TextColumnWriter(texts.length);
  // Some at a time.
  for (let i = 0; i < texts.length; i += 7) {
    writer.addLines(texts.slice(i, i + 7).join("\n"));
  }
  return writer.end();
}

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 6 }),
  // So alike that many share a slot or the length.
  fc.integer({ min: 1, max: 999_999 }).map((id) => `C-${id}`),
).filter((text) => !text.includes("\n"));

Deno.test("random texts come back, are found, and no others are", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(text, { maxLength: 200 }),
      fc.array(text, { maxLength: 50 }),
      (texts, others) => {
        const column = columnOf(texts);
        const find = column.createFinder();
        assertEquals(column.length, texts.length);
        texts.forEach((one, place) => {
          assertEquals(column.textAt(place), one);
          assertEquals(find(one), place);
        });
        for (const other of others) {
          assertEquals(find(other), texts.indexOf(other));
        }
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("what is found is the same text, not one that looks the same", () => {
  const texts = [
    "",
    "7",
    "007",
    "\u00e9",
    "e\u0301",
    "\ufeffa",
    "\ufffd",
    "😀",
  ];
  const find = columnOf(texts).createFinder();
  texts.forEach((text, place) => assertEquals(find(text), place));
  for (const other of ["07", "E", "a", "\ud83d", "\ude00", "😀😀", "\0"]) {
    assertEquals(find(other), -1, JSON.stringify(other));
  }
});

Deno.test("100,000 ids of 18 characters", () => {
  const texts = Array.from(
    { length: 100_000 },
    (_, i) => `0015g0000${String(i * 7_919).padStart(9, "0")}`,
  );
  const column = columnOf(texts);
  const find = column.createFinder();
  assert(texts.every((text, place) => find(text) === place));
  assert(texts.every((text) => find(`${text.slice(0, 17)}x`) === -1));
});

Deno.test("a column has as many texts as it was made for", () => {
  const writer = new TextColumnWriter(2);
  writer.addLines("a");
  assertThrows(() => writer.end(), Error, "1 texts have come instead of 2");
});
