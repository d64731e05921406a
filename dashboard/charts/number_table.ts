/** The numbers of a chart: what is drawn, read out, listed in its table and filtered by. */

import type { Locale } from "../locale.ts";

/** Numbers by rows and columns. */
export interface NumberTable {
  /** What a row is, such as `Month`. */
  readonly rows_title: string;
  /** What a column is, such as `Channel`; null where there is one column. */
  readonly columns_title: string | null;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

/** A column, which is a series of a chart. */
export interface Column {
  readonly label: string;
  /** Its colour, 1 to `TONES`. */
  readonly tone: number;
  /** The view in which only it counts; null where there is none. */
  readonly href: string | null;
}

/** A row, which is a bar of a chart. */
export interface Row {
  readonly label: string;
  /** As an axis has it. */
  readonly short_label?: string;
  /** Its colour where there is one column; that of the column where it is left out. */
  readonly tone?: number;
  /** The view in which only it counts; null where there is none. */
  readonly href: string | null;
  /** A number for each column. */
  readonly values: readonly number[];
  readonly total: number;
}

/** How many colours there are that can be told apart; the last one is that of all others together. */
export const TONES = 8;

/** The sum of all rows. */
export function sumOf({ rows }: NumberTable): number {
  return rows.reduce((sum, { total }) => sum + total, 0);
}

/** The rows with the largest totals, in their order; all where there are no more. */
export function topRows(table: NumberTable, most: number): NumberTable {
  if (table.rows.length <= most) return table;
  const rows = table.rows.toSorted((a, b) => b.total - a.total).slice(0, most);
  return { ...table, rows };
}

/** The columns with the largest sums, in their order of size; all where there are no more. */
export function topColumns(table: NumberTable, most: number): NumberTable {
  if (table.columns.length <= most) return table;
  const sums = table.columns.map((_, j) =>
    table.rows.reduce((sum, { values }) => sum + values[j], 0)
  );
  const kept = sums.map((sum, j) => ({ sum, j }))
    .sort((a, b) => b.sum - a.sum).slice(0, most).map(({ j }) => j);
  return {
    ...table,
    columns: kept.map((j) => table.columns[j]),
    rows: table.rows.map((row) => ({
      ...row,
      values: kept.map((j) => row.values[j]),
    })),
  };
}

/**
 * The part of a table that there is room to list, and how much it leaves out: rows
 * without numbers, then the first periods, or the last names.
 */
export function listedOf(
  table: NumberTable,
  { most_rows, most_columns, has_periods }: {
    readonly most_rows: number;
    readonly most_columns: number;
    readonly has_periods: boolean;
  },
) {
  const { columns, rows } = topColumns(table, most_columns);
  // A file has no rows without numbers.
  const full = rows.length <= most_rows
    ? rows
    : rows.filter(({ total }) => total > 0);
  return {
    columns,
    rows: has_periods ? full.slice(-most_rows) : full.slice(0, most_rows),
    more_rows: Math.max(0, full.length - most_rows),
    more_columns: table.columns.length - columns.length,
  };
}

/** A table with no more columns than there are colours: the smallest are one together. */
export function foldColumns(table: NumberTable): NumberTable {
  const { columns } = table;
  if (columns.length <= TONES) return table;
  const own = columns.flatMap(({ tone }, i) => tone < TONES ? [i] : []);
  const others = columns.flatMap(({ tone }, i) => tone < TONES ? [] : [i]);
  return {
    ...table,
    columns: [
      ...own.map((i) => columns[i]),
      { label: `${others.length} others`, tone: TONES, href: null },
    ],
    rows: table.rows.map((row) => ({
      ...row,
      values: [
        ...own.map((i) => row.values[i]),
        others.reduce((sum, i) => sum + row.values[i], 0),
      ],
    })),
  };
}

/**
 * Colours of names: the most frequent have the first ones, whatever is filtered, so
 * that a name keeps its colour; those beyond share the last one.
 */
export function tonesOf(
  names: readonly {
    readonly name: string | null;
    readonly interactions: number;
  }[],
): ReadonlyMap<string | null, number> {
  const by_count = names.toSorted((a, b) => b.interactions - a.interactions);
  const rank = by_count.length <= TONES ? TONES : TONES - 1;
  return new Map(
    by_count.map(({ name }, i) => [name, i < rank ? i + 1 : TONES]),
  );
}

/** A point of a chart in words, as it is read out; without `column`, the whole row. */
export function pointText(
  { columns, rows }: NumberTable,
  { row, column, locale }: {
    readonly row: number;
    readonly column?: number | undefined;
    readonly locale: Locale;
  },
): string {
  const { label, values, total } = rows[row];
  if (column !== undefined) {
    return `${label}, ${columns[column].label}: ${
      locale.count(values[column])
    }`;
  }
  const parts = columns.length < 2
    ? []
    : columns.flatMap(({ label }, i) =>
      values[i] === 0 ? [] : [`${label} ${locale.count(values[i])}`]
    );
  const text = `${label}: ${locale.count(total)}`;
  return parts.length === 0 ? text : `${text} (${parts.join(", ")})`;
}
