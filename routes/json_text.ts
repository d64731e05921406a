/** Writes JSON as text, so that names keep their order: an object would put a name like `10` first. */

import type { AnswerColumns, Cell, RowsColumn } from "../db/model/questions.ts";

/** A value to write; a Map becomes an object in the order of its entries. */
export type Json =
  | Cell
  | boolean
  | readonly Json[]
  | ReadonlyMap<string, Json>
  | { readonly [name: string]: Json };

/** JSON text as parts in their order. Not Iterable<string>, which a string is too, of its characters. */
export type JsonText = Generator<string, void>;

/** Text that is JSON already. */
export function* jsonOf(text: string): JsonText {
  yield text;
}

/** The text of a value in parts: the elements of its lists are whole. */
export function* jsonParts(value: Json): JsonText {
  if (Array.isArray(value)) {
    yield* listParts(value, jsonText);
  } else if (value === null || typeof value !== "object") {
    yield JSON.stringify(value);
  } else {
    const entries = value instanceof Map ? value : Object.entries(value);
    let before = "{";
    for (const [name, one] of entries) {
      yield `${before}${JSON.stringify(name)}:`;
      yield* jsonParts(one);
      before = ",";
    }
    yield before === "{" ? "{}" : "}";
  }
}

/** The text of a list in parts, each an element that `textOf` writes. */
export function* listParts<Element>(
  elements: Iterable<Element>,
  textOf: (element: Element) => string,
): JsonText {
  let before = "[";
  for (const element of elements) {
    yield before + textOf(element);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}

/** The text of a value. */
export function jsonText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${
    entries.map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`)
      .join(",")
  }}`;
}

/**
 * Writes rows as objects with one member per column; the pivoted columns become the
 * members of one object, `interactions`.
 */
export function createRowText(
  { columns, pivoted }: AnswerColumns,
): (row: readonly Cell[]) => string {
  const start = pivoted?.start ?? columns.length;
  const end = start + (pivoted?.names.length ?? 0);
  const key = (name: string, first: boolean) =>
    `${first ? "" : ","}${JSON.stringify(name)}:`;
  // The text before each cell.
  const keys = columns.map(({ name }, i) =>
    i >= start && i < end
      ? key(pivoted!.names[i - start], i === start)
      : key(name, i === 0 && start > 0)
  );
  const open = `${key("interactions", start === 0)}{`;
  const writer = (from: number, to: number) => (row: readonly Cell[]) => {
    let text = "";
    for (let i = from; i < to; i++) {
      const cell = row[i];
      text += keys[i] +
        (typeof cell === "number" ? cell : JSON.stringify(cell));
    }
    return text;
  };
  const before = writer(0, start);
  if (!pivoted) return (row) => `{${before(row)}}`;
  const inside = writer(start, end);
  const after = writer(end, columns.length);
  return (row) => `{${before(row)}${open}${inside(row)}}${after(row)}}`;
}

/** Counts the bytes that a row has at least as an object: its names and its texts. */
export function createLeastBytes(
  shape: AnswerColumns,
): (row: readonly Cell[]) => number {
  const { columns } = shape;
  const texts = columns.flatMap(({ type }, i) => isText(type) ? [i] : []);
  // With one digit for each number, and none for each text.
  const empty = columns.map(({ type }) => isText(type) ? "" : 0);
  const fixed = new TextEncoder().encode(createRowText(shape)(empty)).length;
  return (row) => {
    let bytes = fixed;
    for (const i of texts) bytes += (row[i] as string | null)?.length ?? 0;
    return bytes;
  };
}

function isText(type: RowsColumn["type"]): boolean {
  return type === "text" || type === "date";
}
