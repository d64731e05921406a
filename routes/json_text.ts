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

/** The number of texts that are remembered, of each column and of all counts. */
const MOST_TEXTS = 1_000;
/** A number holds so many counts below 32 exactly. */
const MOST_PACKED = 10;
const PACKED_BELOW = 32;

/** Writes a row as an object. */
export type RowText = (row: readonly Cell[]) => string;

/**
 * Writes rows as objects with one member per column; the pivoted columns become the
 * members of one object, `interactions`.
 */
export function createRowText({ columns, pivoted }: AnswerColumns): RowText {
  const start = pivoted?.start ?? columns.length;
  const end = start + (pivoted?.names.length ?? 0);
  const key = (name: string, first: boolean) =>
    `${first ? "{" : ","}${JSON.stringify(name)}:`;
  // The text before each cell; the first of an object begins it.
  const keys = columns.map(({ name }, i) =>
    i >= start && i < end
      ? key(pivoted!.names[i - start], i === start)
      : key(name, i === 0 && start > 0)
  );
  const open = key("interactions", start === 0);
  // Most texts occur often, so that their members are made once.
  const texts: Map<Cell, string>[] = [];
  const member = (cell: Cell, i: number) => {
    if (typeof cell === "number") return keys[i] + cell;
    const of_column = texts[i] ??= new Map();
    const known = of_column.get(cell);
    if (known !== undefined) return known;
    const text = keys[i] + JSON.stringify(cell);
    if (of_column.size < MOST_TEXTS) of_column.set(cell, flat(text));
    return text;
  };
  const writer = (from: number, to: number) => (row: readonly Cell[]) => {
    let text = "";
    for (let i = from; i < to; i++) text += member(row[i], i);
    return text;
  };
  const before = writer(0, start);
  if (!pivoted) return (row) => `${before(row)}}`;
  const inside = writer(start, end);
  const after = writer(end, columns.length);
  const counts = remembered(
    (row) => `${open}${inside(row) || "{"}}${after(row)}}`,
    { start, end: columns.length },
  );
  return (row) => before(row) + counts(row);
}

/**
 * The text of the counts of a row, remembered where they are small: most customers
 * have few interactions in a period, in few different ways.
 */
function remembered(
  write: RowText,
  { start, end }: { readonly start: number; readonly end: number },
): RowText {
  if (end - start > MOST_PACKED) return write;
  const texts = new Map<number, string>();
  return (row) => {
    let packed = 0;
    for (let i = start; i < end; i++) {
      const cell = row[i];
      const is_small = typeof cell === "number" && (cell | 0) === cell &&
        cell >= 0 && cell < PACKED_BELOW;
      if (!is_small) return write(row);
      packed = packed * PACKED_BELOW + cell;
    }
    const known = texts.get(packed);
    if (known !== undefined) return known;
    const text = write(row);
    if (texts.size < MOST_TEXTS) texts.set(packed, flat(text));
    return text;
  };
}

/**
 * The same text in one piece: V8 keeps a concatenation as a tree until a character of it
 * is read, and would go through the tree in each answer that has it.
 */
function flat(text: string): string {
  return text.charCodeAt(0) >= 0 ? text : "";
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
