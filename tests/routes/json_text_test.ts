/** The text of rows: what is remembered of it changes no byte. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { AnswerColumns, Cell } from "../../db/model/questions.ts";
import { rowsJson } from "../../routes/answer.ts";
import {
  createRowText,
  type Json,
  jsonText,
  listParts,
  memberParts,
} from "../../routes/json_text.ts";

const BEFORE = ["customer_id", "type"];

/** Rows of an id and a name, of so many channels and of what comes after them. */
function shapeOf(channels: number, after: readonly string[]): AnswerColumns {
  const names = Array.from({ length: channels }, (_, i) => `${10 - i} "ä"`);
  return {
    columns: [
      ...BEFORE.map((name) => ({ name, type: "text" as const })),
      ...[...names, ...after].map((name) => ({
        name,
        type: "number" as const,
      })),
    ],
    pivoted: { start: BEFORE.length, names },
  };
}

/** A row as a value, which is written without anything that is remembered. */
function valueOf(
  row: readonly Cell[],
  { columns, pivoted }: AnswerColumns,
): Json {
  const { start, names } = pivoted!;
  const end = start + names.length;
  const member = (at: number) => [columns[at].name, row[at]] as const;
  return new Map<string, Json>([
    ...BEFORE.map((_, at) => member(at)),
    ["interactions", new Map(names.map((name, i) => [name, row[start + i]]))],
    ...columns.slice(end).map((_, i) => member(end + i)),
  ]);
}

const number = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 3 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      31,
      32,
      255,
      256,
      -1,
      0.5,
      2 ** 31,
      2 ** 32,
      2 ** 32 + 1,
      Number.MAX_SAFE_INTEGER,
      null,
    ),
  },
);
const name = fc.constantFrom<Cell>(null, "Red", 'a "b"', "\ud83d", "🛥", 7, 300);

Deno.test("createRowText, row after row: each as JSON without what is remembered", () => {
  fc.assert(
    fc.property(
      // More than ten are not remembered whole, and more than 64 not by number.
      fc.constantFrom(0, 1, 5, 9, 10, 70),
      fc.constantFrom([], ["total"], ["total", "change"]),
      fc.infiniteStream(fc.tuple(name, number)),
      (channels, after, stream) => {
        const shape = shapeOf(channels, after);
        const rowText = createRowText(shape);
        const rows = Array.from({ length: 400 }, () => {
          const [first] = stream.next().value!;
          const counts = shape.columns.slice(1).map(() =>
            stream.next().value![1]
          );
          return [first, ...counts];
        });
        for (const row of [...rows, ...rows]) {
          assertEquals(rowText(row), jsonText(valueOf(row, shape)));
          assertEquals(rowText(row, "x"), `x${rowText(row)}`);
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("createRowText, more rows than are remembered: none has the text of another", () => {
  const shape = shapeOf(4, ["total"]);
  const rowText = createRowText(shape);
  // Each of 20 ** 4 ways, which are sixteen times as many as there are places.
  for (let turn = 0; turn < 2; turn++) {
    for (let way = 0; way < 160_000; way++) {
      const counts = [0, 1, 2, 3].map((at) => Math.floor(way / 20 ** at) % 20);
      const text = rowText([1, "Red", ...counts, way % 32]);
      const [a, b, c, d] = counts;
      const expected =
        `{"customer_id":1,"type":"Red","interactions":{"10 \\"ä\\"":${a},"9 \\"ä\\"":${b},"8 \\"ä\\"":${c},"7 \\"ä\\"":${d}},"total":${
          way % 32
        }}`;
      if (text !== expected) assertEquals(text, expected);
    }
  }
});

Deno.test("rowsJson, listParts and memberParts: their parts are the text, however long", () => {
  const shape = shapeOf(5, ["total"]);
  for (const length of [0, 1, 2, 1_000]) {
    const cells = Array.from(
      { length },
      (_, i) => [i, "Red", i % 3, 0, 0, 0, 1, 1 + i % 3],
    );
    const values = cells.map((row) => valueOf(row, shape));
    const rows = [...rowsJson({ ...shape, cells })];
    assertEquals(rows.join(""), jsonText(values));
    // A part for each row would take longer than the rows.
    assertEquals(rows.length <= 1 + length / 50, true);
    const list = listParts(values, (one, before) => before + jsonText(one));
    assertEquals([...list].join(""), jsonText(values));
    const members = values.map((value, i) => [`${i}`, value] as const);
    const object = [...memberParts(members, "{")].join("") + "}";
    assertEquals(object, jsonText(new Map(members)));
  }
});
