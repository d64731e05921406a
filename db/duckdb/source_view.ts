/** Composes the view that reads one staged file under the contract's column names. */

import { type HeaderMatch, TABLES } from "../model/contract.ts";
import type { StagedFile, TextShape } from "../intake/stage_file.ts";

/** A column of a Parquet file. */
export interface NativeColumn {
  readonly name: string;
  /** DuckDB's name of its type. */
  readonly type: string;
}

// A text that no cell holds: empty cells stay apart from cells that are not there.
const NO_NULL = "\u0001\u0001";

/** The statement that makes the view `source` of a delimited text; every cell is text. */
export function textSource(file: StagedFile, text: TextShape): string {
  const { header } = text;
  const cells = header.names.map((_, i) => `c${i}`).concat("extra");
  const columns = cells.map((cell) => `${cell}: 'varchar'`).join(", ");
  // Of a sheet, the last column tells what is wrong with a cell, or behind two
  // tabs the label of a row.
  const note = `c${header.names.length - 1}`;
  const [problem, label] = file.format === "xlsx"
    ? [
      `case when not starts_with(${note}, chr(9)) then nullif(${note}, '') end`,
      `case when starts_with(${note}, chr(9)) then ${note}[3:] end`,
    ]
    : ["null::varchar", labelOf(file, unusedCells(header.match, cells))];
  return `create or replace temp view source as
select ${selected(file, header.match, (position) => `c${position}`)}, extra,
  ${problem} as cell_problem, ${label} as label,
  ${hasOptional(file, header.match)} as has_optional,
  ${";\t".includes(header.delimiter)} as decimal_commas
from read_csv(${quoteText(file.staged_path)}, auto_detect = false,
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
      (position) => textOf(columns[position]),
      columns,
    )
  }, null::varchar as extra, null::varchar as cell_problem,
  ${
    labelOf(
      file,
      unusedCells(
        match,
        columns.map(({ name, type }) =>
          type === "VARCHAR" ? quoteName(name) : ""
        ),
      ),
    )
  } as label, ${hasOptional(file, match)} as has_optional,
  false as decimal_commas
from read_parquet(${quoteText(file.staged_path)}, binary_as_string = true)`;
}

/** The statement that lists the columns of a Parquet file. */
export function describeParquet(file: StagedFile): string {
  return `describe select * from read_parquet(${
    quoteText(file.staged_path)
  }, binary_as_string = true)`;
}

/** Whether a column's values are lists, maps or records. */
export function isNested({ type }: NativeColumn): boolean {
  return /^(STRUCT|MAP|UNION)\(|\[\d*\]$/.test(type);
}

// A decimal writes every digit of its scale: 12.000 is no grouped number there.
function textOf({ name, type }: NativeColumn): string {
  const text = `${quoteName(name)}::varchar`;
  return type.startsWith("DECIMAL")
    ? `regexp_replace(${text}, '\\.0+$', '')`
    : text;
}

/** Only in these tables can a row without a value in most columns be a record. */
const LABELLED: readonly string[] = ["customers", "channels"];
/** A label stands left of the numbers; so many unused columns are searched for it. */
const LABEL_COLUMNS = 16;

function unusedCells(
  { positions }: HeaderMatch,
  cells: readonly string[],
): string[] {
  const used = new Set(Object.values(positions));
  return cells.filter((cell, i) =>
    cell !== "" && cell !== "extra" && !used.has(i)
  ).slice(0, LABEL_COLUMNS);
}

/** Whether the file has a column of its table that it need not have. */
function hasOptional(
  { table }: StagedFile,
  { positions }: HeaderMatch,
): boolean {
  return TABLES[table].columns.some(({ name, required }) =>
    !required && positions[name] !== undefined
  );
}

// The label of a row, such as Total, in a column that is not used.
function labelOf({ table }: StagedFile, cells: readonly string[]): string {
  if (!LABELLED.includes(table) || cells.length === 0) return "null::varchar";
  const found = cells.map((cell) =>
    `when begins_as_summary(${cell}) then ${cell}`
  );
  return `case ${found.join(" ")} end`;
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
  textAt: (position: number) => string,
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
      : textAt(position);
    const fields = [`${text} as ${name}`];
    if (type) fields.push(`${value ?? `null::${type}`} as ${name}_value`);
    return fields;
  }).join(", ");
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
