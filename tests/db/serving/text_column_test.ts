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

Deno.test("random texts come back, are found, and no others are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(text, { maxLength: 200 }),
      fc.array(text, { maxLength: 50 }),
      async (texts, others) => {
        const column = columnOf(texts);
        const find = await column.createFinder();
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

Deno.test("what is found is the same text, not one that looks the same", async () => {
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
  const find = await columnOf(texts).createFinder();
  texts.forEach((text, place) => assertEquals(find(text), place));
  for (const other of ["07", "E", "a", "\ud83d", "\ude00", "😀😀", "\0"]) {
    assertEquals(find(other), -1, JSON.stringify(other));
  }
});

Deno.test("300,000 ids of 18 characters, and others are served while their table is made", async () => {
  const texts = Array.from(
    { length: 300_000 },
    (_, i) => `0015g0000${String(i * 7_919).padStart(9, "0")}`,
  );
  const column = columnOf(texts);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const find = await column.createFinder();
  clearInterval(timer);
  assert(turns > 0);
  assert(texts.every((text, place) => find(text) === place));
  assert(texts.every((text) => find(`${text.slice(0, 17)}x`) === -1));
});

Deno.test("a column has as many texts as it was made for", () => {
  const writer = new TextColumnWriter(2);
  writer.addLines("a");
  assertThrows(() => writer.end(), Error, "1 texts have come instead of 2");
});
