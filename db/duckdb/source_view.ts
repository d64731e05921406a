/** Composes the SELECT that reads one staged file under the contract's column names. */

import type { HeaderMatch } from "../model/contract.ts";
import {
  layoutOf,
  type StagedFile,
  type TextShape,
} from "../intake/stage_file.ts";
import { NATIVE_DATE } from "../intake/stage_sheet.ts";
import { attributeName } from "../model/dimensions.ts";
import { quoteText } from "./database.ts";

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

/** How cells are read. */
export interface ReadingOptions {
  /** Whether ids are read as texts also where they are native numbers. */
  readonly ids_as_text?: boolean;
}

// A text that no cell contains, so that an empty cell differs from a missing one.
const NO_NULL = "\u0001\u0001";

/** The SELECT of the rows of a delimited text; every cell is text. */
export function textRows(
  file: StagedFile,
  text: TextShape,
  { ids_as_text = false }: ReadingOptions = {},
): string {
  const { header } = text;
  const cells = header.names.map((_, i) => `c${i}`);
  // For a sheet, the last column has the error of a cell, or behind two tabs the
  // label of a row.
  const note = `c${header.names.length - 1}`;
  const [problem, label] = file.format === "xlsx"
    ? [
      `case when not starts_with(${note}, chr(9)) then nullif(${note}, '') end`,
      `case when starts_with(${note}, chr(9)) then ${note}[3:] end`,
    ]
    : ["null::varchar", labelOf(file, unusedCells(header.match, cells))];
  return `select ${
    selected(file, header.match, {
      textAt: (position) => `c${position}`,
      ids_as_text,
    })
  }, extra,
  ${problem} as cell_problem, ${label} as label,
  ${hasOther(file, header.match)} as has_other,
  ${";\t".includes(header.delimiter)} as decimal_commas
from ${readCsv(file, text)}`;
}

/** The query that counts the rows, without those of a footer, whose last cell by the header is missing, or has a value. */
export function countOtherEnds(file: StagedFile, text: TextShape): string {
  const footer_rows = file.source?.footer_rows ?? 0;
  const rows = readCsv(file, text);
  const is_other = `(c${text.header.names.length - 1} is distinct from ''
  or extra is not null)`;
  return footer_rows === 0
    ? `select count(*)::integer as rows from ${rows} where ${is_other}`
    : `with numbered as (select *, row_number() over () as number from ${rows})
select count(*)::integer as rows from numbered
where ${is_other}
  and number <= (select count(*) from numbered) - ${footer_rows}`;
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

/** The SELECT of the rows of a Parquet file; native times and integers stay so. */
export function parquetRows(
  file: StagedFile,
  match: HeaderMatch,
  { columns, ids_as_text = false }: ReadingOptions & {
    readonly columns: readonly NativeColumn[];
  },
): string {
  return `select ${
    selected(file, match, {
      textAt: (position, name) =>
        nativeText(columns[position], { of: name, ids_as_text }),
      columns,
      ids_as_text,
    })
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
  } as label, ${hasOther(file, match)} as has_other,
  false as decimal_commas
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

/** Only in these tables can a row without a value in most columns be a record. */
const LABELLED: readonly string[] = ["customers", "channels"];
/** A label stands left of the numbers; so many unused columns are searched for it. */
const LABEL_COLUMNS = 16;

function unusedCells(
  { positions }: HeaderMatch,
  cells: readonly string[],
): string[] {
  const used = new Set(Object.values(positions));
  return cells.filter((cell, i) => cell !== "" && !used.has(i)).slice(
    0,
    LABEL_COLUMNS,
  );
}

/** The columns that describe a customer, without the attributes. */
const DESCRIBING = /^(name|occupation|type)$|^match_/;

/** Whether the file has a column that says something of a customer besides the id. */
function hasOther(
  file: StagedFile,
  { positions }: HeaderMatch,
): boolean {
  return layoutOf(file).columns.some(({ name }) =>
    positions[name] !== undefined &&
    (DESCRIBING.test(name) || attributeName(name) !== undefined)
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
  file: StagedFile,
  { positions }: HeaderMatch,
  { textAt, columns = [], ids_as_text }: {
    readonly textAt: (position: number, name: string) => string;
    readonly columns?: readonly NativeColumn[];
    readonly ids_as_text: boolean;
  },
): string {
  return layoutOf(file).columns.flatMap(({ name }) => {
    const position = positions[name];
    const type = VALUE_TYPES[name];
    const native = position === undefined ? undefined : columns[position];
    const has_values = type && !(type === "bigint" && ids_as_text);
    const value = has_values && native && NATIVE[type].test(native.type)
      ? nativeValue(native, type)
      : null;
    const text = position === undefined || value
      ? "null::varchar"
      : textAt(position, name);
    if (type === "timestamp" && file.source) {
      return file.format === "xlsx" ? sheetTime(name, text) : [
        `${text} as ${name}`,
        `${value ?? "null::timestamp"} as ${name}_value`,
        `${
          native !== undefined && /^TIMESTAMP(_\w+)?$/.test(native.type)
        } as ${name}_is_local`,
      ];
    }
    const shown = file.format === "xlsx" && isReadAsShown(name)
      ? sheetText(text)
      : text;
    const fields = [`${shown} as ${name}`];
    if (type) fields.push(`${value ?? `null::${type}`} as ${name}_value`);
    return fields;
  }).join(", ");
}

// A date of the spreadsheet has a mark before it; at midnight it is a day.
function sheetTime(name: string, text: string): string[] {
  const value = `case when starts_with(${text}, ${quoteText(NATIVE_DATE)})
    then try_cast(${text}[2:] as timestamp) end`;
  return [
    `ltrim(${text}, ${quoteText(NATIVE_DATE)}) as ${name}`,
    `${value} as ${name}_value`,
    `coalesce(${value} <> date_trunc('day', ${value}), false)
      as ${name}_is_local`,
  ];
}

/** Whether people write or read the text of a column, which no other rule reads. */
function isReadAsShown(name: string): boolean {
  return attributeName(name) !== undefined || name.startsWith("where_");
}

// A day of a spreadsheet comes with its midnight, a time of day with day 0; in a
// column that is one of times as well, with a mark.
function sheetText(text: string): string {
  const pattern = "^(\\d{4}-\\d\\d-\\d\\d)[ T]00:00:00(?:\\.0+)?$" +
    "|^1899-12-31 (\\d\\d:\\d\\d:\\d\\d)$";
  return `regexp_replace(
    ltrim(${text}, ${quoteText(NATIVE_DATE)}), '${pattern}', '\\1\\2')`;
}

function nativeText(
  native: NativeColumn,
  { of, ids_as_text }: { readonly of: string; readonly ids_as_text: boolean },
): string {
  const { name, type } = native;
  const column = quoteName(name);
  const is_id = VALUE_TYPES[of] === "bigint";
  const as_number = (text: string) =>
    is_id && !ids_as_text ? ungrouped(column, text) : text;
  // A decimal writes every digit of its scale: 12.000 is no grouped number there.
  if (type.startsWith("DECIMAL")) {
    return as_number(`regexp_replace(${column}::varchar, '\\.0+$', '')`);
  }
  // A day is written without its midnight, as people read it.
  if (isReadAsShown(of) && type.startsWith("TIMESTAMP")) {
    const local = nativeValue(native, "varchar");
    return `regexp_replace(${local}::varchar, ' 00:00:00$', '')`;
  }
  if (!/^(FLOAT|DOUBLE)$/.test(type)) return `${column}::varchar`;
  // The shortest text of a FLOAT of nine digits is that of another id.
  const text = is_id
    ? as_number(`${column}::double::varchar`)
    : `${column}::varchar`;
  // In texts that are compared, 12.0 would be another one than 12.
  const is_compared = ids_as_text && is_id ||
    of === "activity" || of.startsWith("match_") || isReadAsShown(of);
  return is_compared ? `regexp_replace(${text}, '\\.0$', '')` : text;
}

// The digits of a number are not grouped: one more says so of 12.345.
function ungrouped(number: string, text: string): string {
  return `case when ${number} = trunc(${number}) then ${text}
    else regexp_replace(${text}, '^(\\d{1,3}\\.\\d{3})$', '\\10') end`;
}

function nativeValue({ name, type }: NativeColumn, as: string): string {
  return type === "TIMESTAMP WITH TIME ZONE"
    ? `timezone(getvariable('settings').time_zone, ${quoteName(name)})`
    : `${quoteName(name)}::${as}`;
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
