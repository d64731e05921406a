/** Composes the rows of a staged file as tally.toml says: constants, times, ids, rows passed over. */

import type { StagedFile } from "../intake/stage_file.ts";
import type { IdKind } from "../mapping/mapping.ts";
import { attributeColumn } from "../model/dimensions.ts";
import { quoteText } from "./database.ts";
import { isWholeCell, withIds } from "./mapped_ids.ts";
import { withTime } from "./mapped_times.ts";

/** How the rows of a file are read, besides what its source says. */
export interface MappedOptions {
  readonly id_kind: IdKind;
  /** The attributes of customers. */
  readonly attributes: readonly string[];
  /** By zone, the SQL that makes the column `local` a moment of TIME_ZONE. */
  readonly shifts: ReadonlyMap<string, string>;
  /** By column of a condition, the SQL that tells whether its cell has one of the values. */
  readonly conditions: ReadonlyMap<string, string>;
  /** The rows of the file where the last ones are passed over; then `position` numbers them from 0. */
  readonly rows: number | undefined;
  /** Whether `matched_ids` and `matched_problem` are columns. */
  readonly is_matched: boolean;
}

/** The columns that staging reads, and that only a source of tally.toml fills. */
const FILLED: Readonly<Record<string, readonly string[]>> = {
  customers: ["name", "occupation", "type"],
  interactions: ["interaction", "topic"],
  products: ["product"],
  channels: ["channel", "aliases"],
};
const TIME_COLUMN: Readonly<Record<string, string>> = {
  interactions: "date_start",
  products: "date",
};
const ID_COLUMN: Readonly<Record<string, string>> = {
  customers: "customer_id",
  interactions: "customers",
};

/**
 * The SELECT of a file's rows as staging reads them, from `rows`, a SELECT of the
 * columns of its layout.
 */
export function mappedRows(
  rows: string,
  file: Pick<StagedFile, "table" | "source" | "layout">,
  options: MappedOptions,
): string {
  const { table, source } = file;
  const { id_kind, is_matched, shifts } = options;
  const time = TIME_COLUMN[table];
  const id = ID_COLUMN[table];
  let select = filled(rows, file, options);
  if (time) {
    select = withTime(select, {
      column: time,
      rule: source?.rules[time],
      shifts,
    });
  }
  return id
    ? withIds(select, { column: id, file, id_kind, is_matched })
    : select;
}

/** Whether a column of tally.toml holds texts that are only compared. */
function isTextOnly(name: string): boolean {
  return /^(activity$|where_|match_)/.test(name);
}

/** Adds the columns that the file has not, and says which rows are passed over. */
function filled(
  rows: string,
  { table, source, layout }: Pick<StagedFile, "table" | "source" | "layout">,
  { attributes, conditions, rows: row_count }: MappedOptions,
): string {
  const present = new Set(layout?.columns.map(({ name }) => name));
  const replaced: string[] = [];
  const added: string[] = [];
  for (const name of FILLED[table]) {
    const { value, separator } = source?.rules[name] ?? {};
    if (separator !== undefined) {
      replaced.push(`${separated(name, separator)} as ${name}`);
    } else if (value !== undefined) {
      added.push(`${quoteText(value)} as ${name}`);
    } else if (source ? !present.has(name) : IS_MAPPED_ONLY.includes(name)) {
      added.push(`null::varchar as ${name}`);
    }
  }
  const in_footer = source && row_count !== undefined
    ? `position >= ${row_count - source.footer_rows}`
    : "false";
  const over = [
    in_footer,
    ...(source?.where ?? []).map(({ column, skips }) =>
      `${skips ? "" : "not "}${conditions.get(column)}`
    ),
  ];
  if (present.has("count")) over.push("coalesce(count_of(count) = 0, false)");
  added.push(`${over.join(" or ")} as passed_over`);
  // In a sheet, staging has found these errors; elsewhere no other rule does.
  const errors = [...present].filter(isTextOnly).map((name) =>
    `error_problem('${name}', ${name})`
  );
  if (present.has("activity")) {
    errors.push("mangled_problem('activity', activity)");
  }
  if (errors.length > 0) {
    replaced.push(
      `coalesce(cell_problem, ${errors.join(", ")}) as cell_problem`,
    );
  }
  if (table === "interactions") {
    // Two systems may use one id for two interactions; a text takes longer to store.
    // A row of the footer is no data, and replaces none.
    if (present.has("activity")) {
      replaced.push(`case when not (${in_footer})
    then md5_number('${source!.number} ' || coalesce(
      quick_text_id(activity),
      case when not has_no_value(activity) then id_text(activity) end))
  end as activity`);
    } else added.push("null::uhugeint as activity");
    added.push(
      ...present.has("count")
        ? [
          "count_of(count) as times",
          "count as count_cell",
          "count_reason(count) as count_problem",
        ]
        : [
          "1::uinteger as times",
          "null::varchar as count_cell",
          "null::varchar as count_problem",
        ],
    );
  }
  if (table === "customers") {
    const keys = (layout?.columns ?? []).filter(({ name }) =>
      name.startsWith("match_")
    );
    added.push(...attributesSql(attributes, { present, source }));
    added.push(
      keys.length > 0
        ? `[${keys.map(({ name }) => name).join(", ")}] as match_cells`
        : "null::varchar[] as match_cells",
    );
  }
  const replace = replaced.length > 0
    ? ` replace (${replaced.join(", ")})`
    : "";
  return `select *${replace}, ${added.join(",\n  ")}\nfrom (${rows})`;
}

/** The attributes of a row as one list, and the first one that is an error of a spreadsheet with its name. */
function attributesSql(
  names: readonly string[],
  { present, source }: {
    readonly present: ReadonlySet<string>;
    readonly source: StagedFile["source"];
  },
): string[] {
  if (names.length === 0) {
    return [
      "null::varchar[] as attributes",
      "null::varchar[] as attribute_error",
    ];
  }
  const cells = names.map((name) => {
    const column = attributeColumn(name);
    const value = source?.rules[column]?.value;
    const cell = present.has(column)
      ? column
      : value === undefined
      ? "null::varchar"
      : quoteText(value);
    return { name, cell };
  });
  const errors = cells.map(({ name, cell }) =>
    `when is_error(${cell}) then [${quoteText(name)}, ${cell}]`
  );
  return [
    `[${
      cells.map(({ cell }) => `text_value(${cell})`).join(", ")
    }] as attributes`,
    `case ${errors.join(" ")} end as attribute_error`,
  ];
}

/** Columns of no file that follows the built-in contract. */
const IS_MAPPED_ONLY = ["name"];

// The rules split at semicolons; those in the cell itself are told apart until then.
function separated(column: string, separator: string): string {
  if (separator === ";") return column;
  const toldApart = (text: string) => `replace(${text}, ';', chr(30))`;
  const parts = `replace(${toldApart(column)}, ${
    toldApart(quoteText(separator))
  }, ';')`;
  const is_whole = isWholeCell(column, separator);
  return is_whole
    ? `case when ${is_whole} then ${column} else ${parts} end`
    : parts;
}
