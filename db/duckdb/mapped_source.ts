/** Composes the rows of a staged file as tally.toml says: constants, forms of times, ids, rows passed over. */

import type { StagedFile } from "../intake/stage_file.ts";
import {
  type ColumnRule,
  type IdKind,
  secondOf,
  type Source,
} from "../mapping/mapping.ts";
import {
  hasOffset,
  hasTime,
  type NamedFormat,
  shapeOf,
} from "../mapping/time_format.ts";
import { NO_MATCH } from "../model/row_problems.ts";
import { quoteText } from "./database.ts";

/** How the rows of a file are read, besides what its source says. */
export interface MappedOptions {
  readonly id_kind: IdKind;
  /** By zone, the SQL that makes the column `local` a moment of TIME_ZONE. */
  readonly shifts: ReadonlyMap<string, string>;
  /** By column of a condition, the SQL that tells whether its cell has one of the values. */
  readonly conditions: ReadonlyMap<string, string>;
  /** The rows of the file where the last ones are passed over; then `position` numbers them from 0. */
  readonly rows: number | undefined;
  /** Whether `matched_ids` and `matched_problem` are columns. */
  readonly is_matched: boolean;
}

/** The zone of times that count from 1970. */
const UTC = "UTC";

/** The zones from which the times of a source are converted. */
export function zonesOf({ rules }: Source): string[] {
  return Object.values(rules).flatMap((rule) => zoneOf(rule) ?? []);
}

function zoneOf({ format, zone }: ColumnRule): string | undefined {
  return format?.startsWith("epoch_") ? UTC : zone;
}

/** The rule by which a row finds its customers. */
export function idRule({ rules }: Source): ColumnRule | undefined {
  return rules.customer_id ?? rules.customers;
}

/** Whether the ids of a file are read by other rules than the built-in ones. */
export function readsIds(
  { table, source }: Pick<StagedFile, "table" | "source">,
  id_kind: IdKind,
): boolean {
  if (table !== "customers" && table !== "interactions") return false;
  const { pattern, separator, match } = source && idRule(source) || {};
  return id_kind !== "integer" || Boolean(pattern ?? separator ?? match);
}

/** The columns that staging reads, and that only a source of tally.toml fills. */
const FILLED: Readonly<Record<string, readonly string[]>> = {
  customers: ["name", "occupation", "type"],
  interactions: ["interaction", "topic", "activity"],
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
  const time = TIME_COLUMN[table];
  const id = ID_COLUMN[table];
  const time_rule = source?.rules[time];
  let select = filled(rows, file, options);
  select = time_rule && readsTime(time_rule)
    ? withTime(select, { column: time, rule: time_rule, options })
    : time
    ? withColumns(select, NO_TIME)
    : select;
  if (!id) return select;
  return readsIds(file, options.id_kind)
    ? withIds(select, { column: id, rule: source && idRule(source), options })
    : withColumns(select, NO_IDS);
}

const NO_TIME = [
  "null::timestamp as read_moment",
  "null::utinyint as read_form",
  "null::varchar as time_problem",
  "false as reads_time",
];
const NO_IDS = [
  "null::bigint as read_id",
  "null::bigint[] as read_ids",
  "null::varchar as ids_problem",
  "false as reads_ids",
];

function withColumns(select: string, columns: readonly string[]): string {
  return `select *, ${columns.join(",\n  ")}\nfrom (${select})`;
}

/** Adds the columns that the file has not, and says which rows are passed over. */
function filled(
  rows: string,
  { table, source, layout }: Pick<StagedFile, "table" | "source" | "layout">,
  { conditions, rows: row_count }: MappedOptions,
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
  const over = (source?.where ?? []).map(({ column, skips }) =>
    `${skips ? "" : "not "}${conditions.get(column)}`
  );
  if (source && row_count !== undefined) {
    over.push(`position >= ${row_count - source.footer_rows}`);
  }
  added.push(`${over.join(" or ") || "false"} as passed_over`);
  if (table === "customers") {
    const keys = (layout?.columns ?? []).filter(({ name }) =>
      name.startsWith("match_")
    );
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

/** Columns of no file that follows the built-in contract. */
const IS_MAPPED_ONLY = ["name", "activity"];

// The rules split at semicolons; those in the cell itself are told apart until then.
function separated(column: string, separator: string): string {
  return separator === ";"
    ? column
    : `replace(replace(${column}, ';', chr(30)), ${quoteText(separator)}, ';')`;
}

function readsTime({ format, zone, headers }: ColumnRule): boolean {
  return format !== undefined || zone !== undefined || headers.length > 1;
}

/** How the texts of a form with a name are read, and when they have a time of day of their own zone. */
const FORMS: Readonly<
  Record<NamedFormat, { readonly moment: string; readonly is_local: string }>
> = {
  DMY: {
    moment: "dmy_time(cleaned_time)",
    is_local: "has_no_offset(cleaned_time)",
  },
  MDY: {
    moment: "mdy_time(cleaned_time)",
    is_local: "has_no_offset(cleaned_time)",
  },
  YMD: {
    moment: "ymd_time(cleaned_time)",
    is_local: "has_no_offset(cleaned_time)",
  },
  iso: {
    moment: "plain_iso_time(cleaned_time)",
    is_local: "has_no_offset(cleaned_time)",
  },
  epoch_s: { moment: "epoch_time(cleaned_time, 1)", is_local: "true" },
  epoch_ms: { moment: "epoch_time(cleaned_time, 1000)", is_local: "true" },
  excel: {
    moment: "serial_time(cleaned_time)",
    is_local: "contains(cleaned_time, '.')",
  },
};
/** Of the built-in rules. */
const BUILT_IN = {
  moment: "parse_time(cleaned_time)",
  is_local: "has_no_offset(cleaned_time)",
};
/** The quick forms of a time, by format: the text that is read first, without cleaning. */
const QUICK: Readonly<Record<string, string>> = {
  DMY: "quick_slash_time(written_time, '%d/%m/%Y')",
  MDY: "quick_slash_time(written_time, '%m/%d/%Y')",
  YMD: "quick_iso_time(written_time)",
  iso: "quick_iso_time(written_time)",
};
/** The code of times in a form that tally.toml names: see readDates in load.ts. */
const BY_MAPPING = 10;

function formOf(
  format: string | undefined,
): { readonly moment: string; readonly is_local: string } {
  if (format === undefined) return BUILT_IN;
  if (!format.includes("%")) return FORMS[format as NamedFormat];
  const shape = quoteText(shapeOf(format));
  const time = `try_strptime(cleaned_time, ${quoteText(format)})`;
  const has_offset = hasOffset(format);
  return {
    moment: `case when regexp_full_match(cleaned_time, ${shape})
        then ${
      has_offset ? `timezone(getvariable('settings').time_zone, ${time})` : time
    } end`,
    is_local: String(hasTime(format) && !has_offset),
  };
}

function withTime(
  select: string,
  { column, rule, options: { shifts } }: {
    readonly column: string;
    readonly rule: ColumnRule;
    readonly options: MappedOptions;
  },
): string {
  const { format, headers } = rule;
  const zone = zoneOf(rule);
  const { moment, is_local } = formOf(format);
  const quick = format === undefined
    ? "fast_time(written_time)"
    : QUICK[format] ?? patternQuick(format) ?? "null::timestamp";
  const expected = column === "date" ? "a month" : "a date or time";
  // Put together, a date of the spreadsheet is one of the built-in forms.
  const is_pair = headers.length > 1;
  const native = is_pair ? "null::timestamp" : `${column}_value`;
  const cleaned = is_pair
    ? `case when ${column}_value is not null then parse_time(cleaned_time)
        else ${moment} end`
    : moment;
  const problem = format === undefined
    ? `time_reason(cleaned_time, '${expected}')`
    : `case
        when cleaned_time is null then 'no value'
        when is_error(cleaned_time) then error_reason()
        else ${quoteText(`not a time of the form ${format}`)}
      end`;
  const form = format === undefined
    ? `case
      when quick_time is not null then fast_form(written_time)
      else time_form(cleaned_time)
    end`
    : String(BY_MAPPING);
  const shift = zone === undefined ? undefined : shifts.get(zone);
  return `select
  *,
  ${shift ? `if(is_local, ${shift}, local)` : "local"} as read_moment,
  case when local is null then ${problem} end as time_problem,
  true as reads_time
from (
  select
    *,
    coalesce(native_time, quick_time, ${cleaned}) as local,
    ${
    shift
      ? `case
      when native_time is not null then ${column}_is_local
      when quick_time is not null then has_time_of_day(written_time)
      else ${is_local}
    end`
      : "false"
  } as is_local,
    (case when native_time is not null then 0 else ${form} end)::utinyint
      as read_form
  from (
    select
      *,
      case
        when native_time is null and quick_time is null
          then text_value(written_time)
      end as cleaned_time
    from (
      select *, ${native} as native_time, ${quick} as quick_time
      from (
        select *, ${writtenTime(column, is_pair)} as written_time
        from (${select})))))`;
}

// A pattern's text without anything to clean; with an offset it needs another zone.
function patternQuick(format: string): string | undefined {
  if (!format.includes("%") || hasOffset(format) || !hasTime(format)) {
    return undefined;
  }
  const shape = quoteText(shapeOf(format));
  return `case when regexp_full_match(written_time, ${shape})
        then try_strptime(written_time, ${quoteText(format)}) end`;
}

function writtenTime(column: string, is_pair: boolean): string {
  if (!is_pair) return column;
  const second = secondOf(column);
  // A time of the spreadsheet has a day before it, which is none.
  return `case
          when ${column}_value is not null or not has_no_value(${column})
            then concat_ws(
              ' ',
              coalesce(strftime(${column}_value, '%Y-%m-%d'), ${column}),
              text_value(if(
                starts_with(${second}, chr(1)),
                split_part(${second}, ' ', 2),
                ${second})))
        end`;
}

/** How an id of a kind is read from a text, and why it is none. */
const IDS: Readonly<
  Record<IdKind, { clean: string; parse: string; reason: string }>
> = {
  integer: { clean: "plain_text", parse: "parse_id", reason: "id_reason" },
  text: { clean: "id_text", parse: "parse_text_id", reason: "text_id_reason" },
  salesforce: {
    clean: "id_text",
    parse: "parse_salesforce_id",
    reason: "salesforce_id_reason",
  },
};

function withIds(
  select: string,
  { column, rule = { headers: [] }, options: { id_kind, is_matched } }: {
    readonly column: string;
    readonly rule: ColumnRule | undefined;
    readonly options: MappedOptions;
  },
): string {
  const none = column === "customers" ? "no customer" : "no value";
  if (is_matched) {
    return `select
  *,
  case when len(matched_ids) = 1 then matched_ids[1] end as read_id,
  case when len(matched_ids) > 1 then matched_ids end as read_ids,
  coalesce(matched_problem, '${none}') as ids_problem,
  true as reads_ids
from (${select})`;
  }
  const { clean, parse, reason } = IDS[id_kind];
  const { separator, pattern } = rule;
  const prefix = rule.prefix === undefined
    ? ""
    : `${quoteText(rule.prefix)} || `;
  const raw = (text: string) =>
    pattern === undefined
      ? text
      : `nullif(regexp_extract(${text}, ${quoteText(pattern)}, 1), '')`;
  const no_fit = pattern === undefined ? "" : `
      when ${raw("id_cell")} is null
        then ${quoteText(`does not fit the pattern ${pattern}`)}`;
  const list = separator === undefined ? null : `list_transform(
        string_split(cleaned_id, ${quoteText(separator)}),
        lambda cell: trim(cell))`;
  const no_id = id_kind === "integer"
    ? "or regexp_full_match(cleaned_id, '0(\\.0+)?')"
    : "";
  const type = id_kind === "integer" ? "bigint" : "varchar";
  return `select
  *,
  case
    when read_id is null and read_ids is null
      then case
        when has_no_value(cleaned_id) ${column === "customers" ? no_id : ""}
          then '${none}'
        when id_cell = '' then 'a list of customers with an empty element'${no_fit}
        else ${reason}(${raw("id_cell")})
      end
  end as ids_problem,
  true as reads_ids
from (
  select
    *,
    ${
    list
      ? `case
      when id_cells is null then cleaned_id
      else list_filter(
        id_cells, lambda cell: ${parse}(${raw("cell")}) is null)[1]
    end`
      : "cleaned_id"
  } as id_cell
  from (
    select
      *,
      ${list ? "case when id_cells is null then " : ""}${prefix}${parse}(${
    raw("cleaned_id")
  })${list ? " end" : ""} as read_id,
      ${
    list
      ? `case
        when len(list_filter(
            id_cells, lambda cell: ${parse}(${raw("cell")}) is null)) = 0
          then list_distinct(list_transform(
            id_cells, lambda cell: ${prefix}${parse}(${raw("cell")})))
      end`
      : `null::${type}[]`
  } as read_ids
    from (
      select
        *,
        ${
    list
      ? `case
          when contains(cleaned_id, ${quoteText(separator!)}) then ${list}
        end as id_cells`
      : "null::varchar[] as id_cells"
  }
      from (
        select *, ${clean}(${column}) as cleaned_id
        from (${select})))))`;
}

/**
 * The statement that finds what each cell of `source_rows` stands for, where customers
 * are matched by another column of theirs; `match_keys` has the values of that column.
 */
export function matchedCells(
  { match, separator, pattern, is_anonymous_unmatched }: ColumnRule,
  id_kind: IdKind,
): string {
  const text = pattern === undefined
    ? "part"
    : `nullif(regexp_extract(part, ${quoteText(pattern)}, 1), '')`;
  const parts = separator === undefined
    ? "[clean_text(cell)]"
    : `string_split(clean_text(cell), ${quoteText(separator)})`;
  const header = JSON.stringify(match!.header);
  const anonymous = id_kind === "integer" ? "0" : "''";
  const id = is_anonymous_unmatched
    ? `if(match_keys.key is null and elements.key is not null, ${anonymous}, id)`
    : "id";
  return `create or replace temp table matched_cells as
with cells as (
  select distinct customers as cell
  from source_rows
  where not has_no_value(customers)),
parts as (
  select cell, unnest(parts) as part, generate_subscripts(parts, 1) as place
  from (select cell, ${parts} as parts from cells)),
elements as (
  select cell, place, ${match!.as}_match_key(${text}) as key
  from parts),
found as (
  select cell, place, elements.key, ${id} as found_id, several
  from elements left join match_keys
    on match_keys.key = elements.key and match_keys.match = ${
    quoteText(match!.column)
  })
select
  cell as matched_cell,
  case
    when bool_and(found_id is not null)
      then list_distinct(list(found_id order by place))
  end as matched_ids,
  case
    when bool_and(found_id is not null) then null
    when bool_or(key is null) then ${
    quoteText(
      pattern === undefined
        ? "a list of customers with an empty element"
        : `does not fit the pattern ${pattern}`,
    )
  }
    when bool_or(several)
      then ${quoteText(`ambiguous: several customers have this ${header}`)}
    else ${quoteText(NO_MATCH + header)}
  end as matched_problem
from found
group by cell`;
}
