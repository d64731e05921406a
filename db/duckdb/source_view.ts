/** Composes the view that reads one staged file under the contract's column names. */

import { type HeaderMatch, TABLES } from "../model/contract.ts";
import type { StagedFile, TextShape } from "../intake/stage_file.ts";

/** A column of a Parquet file. */
export interface NativeColumn {
  /** As DuckDB calls it: the second of the same name has another one. */
  readonly name: string;
  /** As the file calls it. */
  readonly header: string;
  /** DuckDB's name of its type. */
  readonly type: string;
  /** The digits of a decimal; null for other types. */
  readonly precision: number | null;
}

// A text that no cell contains, so that an empty cell differs from a missing one.
const NO_NULL = "\u0001\u0001";

/** The statement that makes the view `source` of a delimited text; every cell is text. */
export function textSource(file: StagedFile, text: TextShape): string {
  const { header } = text;
  // For a sheet, the last column has the error of a cell.
  const problem = file.format === "xlsx"
    ? `nullif(c${header.names.length - 1}, '')`
    : "null::varchar";
  return `create or replace temp view source as
select ${selected(file, header.match, (position) => `c${position}`)}, extra,
  ${problem} as cell_problem
from ${readCsv(file, text)}`;
}

/** The query that counts the rows whose last cell by the header is not there, or is not an empty one. */
export function countOtherEnds(file: StagedFile, text: TextShape): string {
  return `select count(*)::integer as rows
from ${readCsv(file, text)}
where c${text.header.names.length - 1} is distinct from ''
  or extra is not null`;
}

function readCsv(file: StagedFile, text: TextShape): string {
  const { header } = text;
  const cells = header.names.map((_, i) => `c${i}`).concat("extra");
  const columns = cells.map((cell) => `${cell}: 'varchar'`).join(", ");
  return `read_csv(${quoteText(file.staged_path)}, auto_detect = false,
  header = true, delim = ${quoteText(header.delimiter)}, quote = '"',
  escape = '"', nullstr = ${quoteText(NO_NULL)}, columns = {${columns}},
  null_padding = true, strict_mode = false,
  parallel = ${!text.quoted_line_breaks})`;
}

/** The statement that makes the view `source` of a Parquet file; native times and integers stay so. */
export function parquetSource(
  file: StagedFile,
  match: HeaderMatch,
  columns: readonly NativeColumn[],
): string {
  return `create or replace temp view source as
select ${
    selected(
      file,
      match,
      (position, name) => nativeText(columns[position], name),
      columns,
    )
  }, null::varchar as extra, null::varchar as cell_problem
from read_parquet(${quoteText(file.staged_path)}, binary_as_string = true)`;
}

/** The statement that lists the columns of a Parquet file. */
export function describeParquet(file: StagedFile): string {
  return `describe select * from read_parquet(${
    quoteText(file.staged_path)
  }, binary_as_string = true)`;
}

/** The statement that lists the elements of a Parquet file's schema, each before those inside it. */
export function parquetSchema(file: StagedFile): string {
  return `select name, num_children, precision from parquet_schema(${
    quoteText(file.staged_path)
  })`;
}

/** The columns of a Parquet file, of the rows of `describeParquet` and `parquetSchema`. */
export function nativeColumns(
  described: readonly Record<string, unknown>[],
  schema: readonly Record<string, unknown>[],
): NativeColumn[] {
  // The first element is the root; what is inside a column is skipped.
  const top: Record<string, unknown>[] = [];
  let inside = 0;
  for (const element of schema.slice(1)) {
    const children = Number(element.num_children ?? 0);
    if (inside > 0) inside += children - 1;
    else {
      top.push(element);
      inside = children;
    }
  }
  return described.map(({ column_name, column_type }, i) => ({
    name: column_name as string,
    header: top[i]?.name as string ?? column_name,
    type: column_type as string,
    precision: top[i]?.precision == null ? null : Number(top[i].precision),
  }));
}

/** DuckDB reads decimals of more digits as floating-point numbers, other ones than are there. */
const MAX_PRECISION = 38;

/** Whether a column's values are decimals that DuckDB cannot read. */
export function isTooPrecise({ precision }: NativeColumn): boolean {
  return precision !== null && precision > MAX_PRECISION;
}

/** Whether a column's values are lists, maps or records. */
export function isNested({ type }: NativeColumn): boolean {
  return /^(STRUCT|MAP|UNION)\(|\[\d*\]$/.test(type);
}

// A column of times or ids comes twice: as text, and under `…_value` as the
// native value of a Parquet file. One of the two is null throughout.
const NATIVE = {
  timestamp: /^(DATE|TIMESTAMP(_\w+| WITH TIME ZONE)?)$/,
  bigint: /^((TINY|SMALL|BIG)INT|INTEGER|U(TINY|SMALL)INT|UINTEGER)$/,
};
const VALUE_TYPES: Record<string, keyof typeof NATIVE> = {
  date: "timestamp",
  date_start: "timestamp",
  customer_id: "bigint",
  customers: "bigint",
};

function selected(
  { table }: StagedFile,
  { positions }: HeaderMatch,
  textAt: (position: number, name: string) => string,
  columns: readonly NativeColumn[] = [],
): string {
  return TABLES[table].columns.flatMap(({ name }) => {
    const position = positions[name];
    const type = VALUE_TYPES[name];
    const native = position === undefined ? undefined : columns[position];
    const value = type && native && NATIVE[type].test(native.type)
      ? nativeValue(native, type)
      : null;
    const text = position === undefined || value
      ? "null::varchar"
      : textAt(position, name);
    const fields = [`${text} as ${name}`];
    if (type) fields.push(`${value ?? `null::${type}`} as ${name}_value`);
    return fields;
  }).join(", ");
}

function nativeText({ name, type }: NativeColumn, of: string): string {
  // The shortest text of a FLOAT of nine digits is that of another id.
  const exact = type === "FLOAT" && VALUE_TYPES[of] === "bigint"
    ? "::double"
    : "";
  return `${quoteName(name)}${exact}::varchar`;
}

function nativeValue({ name, type }: NativeColumn, as: string): string {
  return type === "TIMESTAMP WITH TIME ZONE"
    ? `timezone(getvariable('settings').time_zone, ${quoteName(name)})`
    : `${quoteName(name)}::${as}`;
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
