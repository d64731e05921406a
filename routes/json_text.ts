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

/** Characters of a part, about: a generator takes longer for many short ones than their text does. */
const PART_CHARACTERS = 8_192;

/** The text of a value in parts: the elements of its lists are whole. */
export function* jsonParts(value: Json): JsonText {
  if (Array.isArray(value)) {
    yield* listParts(value, (one, before) => before + jsonText(one));
  } else if (isScalar(value)) {
    yield JSON.stringify(value);
  } else {
    const entries = value instanceof Map ? value : Object.entries(value);
    yield* memberParts(entries, "{");
    yield "}";
  }
}

/** The text of the members of an object in parts; `before` is what comes before them, an open brace or members. */
export function* memberParts(
  members: Iterable<readonly [name: string, value: Json]>,
  before: string,
): JsonText {
  let text = before;
  let comma = before === "{" ? "" : ",";
  for (const [name, value] of members) {
    text += `${comma}${JSON.stringify(name)}:`;
    comma = ",";
    if (isScalar(value)) {
      text += JSON.stringify(value);
      if (text.length < PART_CHARACTERS) continue;
      yield text;
    } else {
      yield text;
      yield* jsonParts(value);
    }
    text = "";
  }
  yield text;
}

/** The text of a list in parts, each of whole elements; `append` writes one after a text. */
export function* listParts<Element>(
  elements: Iterable<Element>,
  append: (element: Element, before: string) => string,
): JsonText {
  let text = "[";
  let comma = "";
  for (const element of elements) {
    text = append(element, text + comma);
    comma = ",";
    if (text.length < PART_CHARACTERS) continue;
    yield text;
    text = "";
  }
  yield text + "]";
}

/** The text of a value. */
export function jsonText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (isScalar(value)) return JSON.stringify(value);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${
    entries.map(([name, one]) => `${JSON.stringify(name)}:${jsonText(one)}`)
      .join(",")
  }}`;
}

function isScalar(value: Json): value is Cell | boolean {
  return value === null || typeof value !== "object";
}

/** The number of texts that are remembered of each column. */
const MOST_TEXTS = 1_000;
/** Numbers below this are remembered with their names, where there are no more columns than these. */
const NUMBERS_BELOW = 256;
const MOST_NUMBERED = 64;
/** A number holds so many counts below 32 exactly. */
const MOST_PACKED = 10;
const PACKED_BELOW = 32;
/** The number of texts of all counts that are remembered, at first and at most. */
const LEAST_PLACES = 128;
const MOST_PLACES = 4_096;
/** Of so many texts that have no place of their own, one is remembered. */
const REMEMBERED_OF = 8;
const FNV_PRIME = 0x01000193;

/**
 * Writes a row as an object, after a text. That text comes along because V8 is faster
 * with one that grows by pieces than with one made of texts that grew apart.
 */
export type RowText = (row: readonly Cell[], before?: string) => string;

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
  // Most texts and small numbers occur often, so that their members are made once.
  const texts: Map<Cell, string>[] = [];
  const numbers: string[][] = columns.map(() => []);
  const most_numbers = columns.length > MOST_NUMBERED ? 0 : NUMBERS_BELOW;
  const member = (cell: Cell, i: number) => {
    if (typeof cell === "number") {
      return cell >>> 0 === cell && cell < most_numbers
        ? numbers[i][cell] ??= flat(keys[i] + cell)
        : keys[i] + cell;
    }
    const of_column = texts[i] ??= new Map();
    const known = of_column.get(cell);
    if (known !== undefined) return known;
    const text = keys[i] + JSON.stringify(cell);
    if (of_column.size < MOST_TEXTS) of_column.set(cell, flat(text));
    return text;
  };
  const writer = (from: number, to: number): RowText => (row, text = "") => {
    for (let i = from; i < to; i++) text += member(row[i], i);
    return text;
  };
  const head = writer(0, start);
  if (!pivoted) return (row, text) => `${head(row, text)}}`;
  const inside = writer(start, end);
  const tail = writer(end, columns.length);
  const none = start === end ? "{" : "";
  const counts = remembered(
    (row, text = "") => `${tail(row, `${inside(row, text + open)}${none}}`)}}`,
    { start, end: columns.length },
  );
  return (row, text) => counts(row, head(row, text));
}

/**
 * The text of the counts of a row, remembered where they are small: most customers
 * have few interactions in a period, in few different ways. Each text has one place,
 * by a hash of its counts, and gives way to another one there, which takes half the
 * time of a Map; with many texts there are more places.
 */
function remembered(
  write: RowText,
  { start, end }: { readonly start: number; readonly end: number },
): RowText {
  if (end - start > MOST_PACKED) return write;
  let places = LEAST_PLACES;
  let packed_at = new Float64Array(places);
  let texts: (string | undefined)[] = Array(places);
  let made = 0;
  return (row, before = "") => {
    let packed = 0;
    let hash = 0;
    for (let i = start; i < end; i++) {
      const cell = row[i] as number;
      // Neither a fraction, nor a text, nor no number.
      if ((cell & (PACKED_BELOW - 1)) !== cell) return write(row, before);
      packed = packed * PACKED_BELOW + cell;
      hash = Math.imul(hash ^ cell, FNV_PRIME);
    }
    let at = (hash ^ (hash >>> 15)) & (places - 1);
    const known = texts[at];
    if (known !== undefined && packed_at[at] === packed) return before + known;
    made++;
    if (made > places) {
      // Where few texts occur again, to remember each would take longer than it saves.
      if (places === MOST_PLACES && made % REMEMBERED_OF !== 0) {
        return write(row, before);
      }
      if (places < MOST_PLACES) {
        places *= 2;
        packed_at = new Float64Array(places);
        texts = Array(places);
        made = 0;
        at = (hash ^ (hash >>> 15)) & (places - 1);
      }
    }
    packed_at[at] = packed;
    return before + (texts[at] = flat(write(row)));
  };
}

/**
 * The same text in one piece: V8 keeps a concatenation as a tree, and would go through
 * the tree in each answer that has it. To read a character makes one text of it, but
 * leaves the root of the tree before that.
 */
function flat(text: string): string {
  return JSON.parse(JSON.stringify(text));
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
