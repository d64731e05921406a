/** Finds the header and the rows in the records that a text or a sheet begins with. */

import { TIME_FORMS } from "./time_forms.ts";

/** A record of a text, or a row of a sheet. */
export interface NumberedRecord {
  /** The line that it begins in, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** The header and the rows below it. */
export interface FoundTable {
  readonly header: readonly string[];
  readonly rows: readonly NumberedRecord[];
  /** The line of the header, where that is not the first with a value. */
  readonly header_row: number | undefined;
  readonly footer_rows: number;
}

/** The records that are looked at for a header, and at the end for a footer. */
const TITLE_RECORDS = 30;
const FOOTER_RECORDS = 20;

/** The header and rows among records that have a value; null where no line looks like a header. */
export function findTable(
  records: readonly NumberedRecord[],
  { is_whole }: { readonly is_whole: boolean },
): FoundTable | null {
  if (records.length === 0) return null;
  const width = commonest(records.map(({ cells }) => cells.length));
  const at = records.slice(0, TITLE_RECORDS).findIndex(({ cells }, i) =>
    // A title is a line with fewer cells, most often one.
    valuesIn(cells) > 1 && cells.length >= width && looksLikeHeader(cells) ||
    width <= 1 && i === 0 && looksLikeHeader(cells)
  );
  if (at < 0) return null;
  const header = records[at].cells;
  const below = records.slice(at + 1);
  // Below the first line, only one with a name for every column that has a value.
  const is_partial = header.some((name, i) =>
    name === "" && below.some(({ cells }) => (cells[i] ?? "") !== "")
  );
  if (at > 0 && is_partial) return null;
  const footer_rows = is_whole && width > 1
    ? footerOf(below, header.length)
    : 0;
  return {
    header,
    rows: below.slice(0, below.length - footer_rows),
    header_row: at > 0 ? records[at].line : undefined,
    footer_rows,
  };
}

/** How many cells most records have; the larger number of two that are as frequent. */
export function commonest(lengths: readonly number[]): number {
  const counts = Map.groupBy(lengths, (length) => length);
  let best = 0;
  for (const [length, { length: count }] of counts) {
    const best_count = counts.get(best)?.length ?? 0;
    if (count > best_count || count === best_count && length > best) {
      best = length;
    }
  }
  return best;
}

function valuesIn(cells: readonly string[]): number {
  return cells.filter((cell) => cell !== "").length;
}

/** Whether cells are names of columns rather than values: no dates, numbers, or addresses. */
function looksLikeHeader(cells: readonly string[]): boolean {
  const values = cells.filter((cell) => cell !== "");
  return values.length > 0 &&
    !values.some((cell) =>
      /^[+-]?\d+([.,]\d+)?$/.test(cell) || /^[^@\s]+@[^@\s]+$/.test(cell) ||
      TIME_FORMS.some((form) => form.fits(cell))
    );
}

const SUM =
  /^\s*((grand|sub|overall)[ -]?)?(totals?|sum|summe|gesamt|gesamtsumme|insgesamt|totale|somme|suma)\s*:?\s*$/i;

// A sum, or a copyright: a row that begins with such a word, or has one cell where others have several.
function footerOf(rows: readonly NumberedRecord[], columns: number): number {
  let count = 0;
  while (
    count < Math.min(FOOTER_RECORDS, rows.length - 1) &&
    isOfFooter(rows[rows.length - 1 - count].cells, columns)
  ) count++;
  const others = rows.slice(0, rows.length - count);
  return others.every(({ cells }) => valuesIn(cells) > 1) ? count : 0;
}

function isOfFooter(cells: readonly string[], columns: number): boolean {
  const first = cells.find((cell) => cell !== "") ?? "";
  return SUM.test(first) && valuesIn(cells) <= columns / 2 ||
    valuesIn(cells) === 1 && cells[0] !== "";
}
