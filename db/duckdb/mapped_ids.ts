/** Composes how customers are found that tally.toml calls by ids of their own, or by another column. */

import type { StagedFile } from "../intake/stage_file.ts";
import type { ColumnRule, IdKind, Source } from "../mapping/mapping.ts";
import { NO_MATCH } from "../model/row_problems.ts";
import { quoteText } from "./database.ts";

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

/**
 * The SELECT of `select`'s rows with the ids of a column, where they are read by other
 * rules than the built-in ones: `read_id` or `read_ids`, and why there is none.
 */
export function withIds(
  select: string,
  { column, file, id_kind, is_matched }: {
    readonly column: string;
    readonly file: Pick<StagedFile, "table" | "source">;
    readonly id_kind: IdKind;
    /** Whether `matched_ids` and `matched_problem` are columns. */
    readonly is_matched: boolean;
  },
): string {
  if (!readsIds(file, id_kind)) {
    return `select
  *,
  null::bigint as read_id,
  null::bigint[] as read_ids,
  null::varchar as ids_problem,
  false as reads_ids
from (${select})`;
  }
  const rule = file.source && idRule(file.source) || { headers: [] };
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
  const { separator, pattern, prefix }: ColumnRule = rule;
  const raw = (text: string) =>
    pattern === undefined
      ? text
      : `nullif(regexp_extract(${text}, ${quoteText(pattern)}, 1), '')`;
  const prefixed = (id: string) =>
    prefix === undefined ? id : `prefixed_id(${quoteText(prefix)}, ${id})`;
  const parsed = (text: string) => prefixed(`${parse}(${raw(text)})`);
  const no_fit = pattern === undefined ? "" : `
      when ${raw("id_cell")} is null
        then ${quoteText(`does not fit the pattern ${pattern}`)}`;
  const too_long = prefix === undefined ? "" : `
      when ${parse}(${raw("id_cell")}) is not null
        then 'an id of more than 128 characters, with its prefix'`;
  const whole = separator === undefined
    ? ""
    : splitText(separator, { cell: column, cleaned: "cleaned_id" });
  const list = separator === undefined ? null : `list_transform(
        string_split(${whole}, ${quoteText(separator)}),
        lambda cell: ${clean}(cell))`;
  const is_whole = separator !== undefined && isWholeCell(whole, separator);
  const no_id = id_kind === "integer"
    ? "or regexp_full_match(cleaned_id, '0(\\.0+)?')"
    : "";
  const type = id_kind === "integer" ? "bigint" : "varchar";
  // Most texts need neither cleaning nor splitting.
  const is_quick = id_kind === "text" && !list && pattern === undefined;
  const quick = is_quick ? `quick_text_id(${column})` : "null::varchar";
  const one = list
    ? `case when id_cells is null then ${parsed("cleaned_id")} end`
    : is_quick
    ? prefixed(`coalesce(quick_id, ${parse}(cleaned_id))`)
    : parsed("cleaned_id");
  return `select
  *,
  case
    when read_id is null and read_ids is null
      then case
        when has_no_value(cleaned_id) ${column === "customers" ? no_id : ""}
          then '${none}'
        when has_no_value(id_cell)
          then 'a list of customers with an empty element'${no_fit}${too_long}
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
        id_cells, lambda cell: ${parsed("cell")} is null)[1]
    end`
      : "cleaned_id"
  } as id_cell
  from (
    select
      *,
      ${one} as read_id,
      ${
    list
      ? `case
        when len(list_filter(
            id_cells, lambda cell: ${parsed("cell")} is null)) = 0
          then list_distinct(list_transform(
            id_cells, lambda cell: ${parsed("cell")}))
      end`
      : `null::${type}[]`
  } as read_ids
    from (
      select
        *,
        ${
    list
      ? `case
          ${is_whole ? `when ${is_whole} then null` : ""}
          when contains(${whole}, ${quoteText(separator!)}) then ${list}
        end as id_cells`
      : "null::varchar[] as id_cells"
  }
      from (
        select
          *,
          coalesce(quick_id, ${clean}(${column})) as cleaned_id
        from (
          select *, ${quick} as quick_id
          from (${select}))))))`;
}

/** The SQL of the text to split: cleaning would make other white space of the separator. */
function splitText(
  separator: string,
  { cell, cleaned }: { readonly cell: string; readonly cleaned: string },
): string {
  return /[^\S ]| {2}/.test(separator)
    ? `trim(${cell}, ' ' || chr(9) || chr(10) || chr(13))`
    : cleaned;
}

/**
 * The SQL that finds the cells which a separator is in, and does not split, as in N/A:
 * they stand for no value or are an error. Undefined where it can be in none of them.
 */
export function isWholeCell(
  cell: string,
  separator: string,
): string | undefined {
  return /^[\s\w\p{Lu}/\\()<>[\]#¡!¿?]+$/u.test(separator)
    ? `contains(${cell}, ${quoteText(separator)}) and is_whole(${cell})`
    : undefined;
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
  const whole = "clean_text(cell)";
  const is_whole = separator !== undefined && isWholeCell(whole, separator);
  const split = separator === undefined
    ? `[${whole}]`
    : `string_split(${
      splitText(separator, { cell: "cell", cleaned: whole })
    }, ${quoteText(separator)})`;
  const parts = is_whole
    ? `case when ${is_whole} then [${whole}] else ${split} end`
    : split;
  const header = JSON.stringify(match!.header);
  const anonymous = id_kind === "integer" ? "0" : "''";
  const id = is_anonymous_unmatched
    ? `if(
      match_keys.key is null and not is_empty and not has_error
        and not is_rounded,
      ${anonymous}, id)`
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
  select
    cell, place,
    case when not is_error(part) then ${match!.as}_match_key(text) end as key,
    has_no_value(text) as is_empty,
    is_error(part) as has_error,
    is_mangled(text) as is_rounded
  from (select cell, place, part, ${text} as text from parts)),
found as (
  select cell, place, is_empty, has_error, is_rounded, ${id} as found_id, several
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
    when bool_or(has_error) then error_reason()
    when bool_or(is_rounded) then mangled_reason()
    when bool_or(is_empty) then ${
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
