/** Writes JSON as text, so that names stay in their order: objects put one like `10` first. */

import type { Cell, Rows } from "../db/model/questions.ts";

/** What is written: a Map becomes an object in the order of its entries. */
export type Json =
  | Cell
  | boolean
  | readonly Json[]
  | ReadonlyMap<string, Json>
  | { readonly [name: string]: Json };

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
 * Writes rows as objects, each a member a column; the pivoted columns are those of
 * an object of their own, `interactions`.
 */
export function createRowText(
  { columns, pivoted }: Pick<Rows, "columns" | "pivoted">,
): (row: readonly Cell[]) => string {
  const start = pivoted?.start ?? columns.length;
  const end = start + (pivoted?.names.length ?? 0);
  const key = (name: string, first: boolean) =>
    `${first ? "" : ","}${JSON.stringify(name)}:`;
  // What stands before each cell.
  const keys = columns.map(({ name }, i) =>
    i >= start && i < end
      ? key(pivoted!.names[i - start], i === start)
      : key(name, i === 0 && start > 0)
  );
  const open = `${key("interactions", start === 0)}{`;
  const write = (row: readonly Cell[], from: number, to: number) => {
    let text = "";
    for (let i = from; i < to; i++) text += keys[i] + JSON.stringify(row[i]);
    return text;
  };
  return pivoted
    ? (row) =>
      `{${write(row, 0, start)}${open}${write(row, start, end)}}${
        write(row, end, columns.length)
      }}`
    : (row) => `{${write(row, 0, columns.length)}}`;
}
