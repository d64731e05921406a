/** Composes how times are read that tally.toml writes in a form or a zone of their own. */

import { NATIVE_DATE } from "../intake/stage_sheet.ts";
import { type ColumnRule, secondOf, type Source } from "../mapping/mapping.ts";
import {
  hasOffset,
  hasTime,
  type NamedFormat,
  shapeOf,
} from "../mapping/time_format.ts";
import { quoteText } from "./database.ts";

/** The zone of times that count from 1970. */
const UTC = "UTC";

/** The zones from which the times of a source are converted. */
export function zonesOf({ rules }: Source): string[] {
  return Object.values(rules).flatMap((rule) => zoneOf(rule) ?? []);
}

function zoneOf({ format, zone }: ColumnRule): string | undefined {
  return format?.startsWith("epoch_") ? UTC : zone;
}

function readsTime({ format, zone, headers }: ColumnRule): boolean {
  return format !== undefined || zone !== undefined || headers.length > 1;
}

/** How texts are read that are cleaned: in SQL, their moment, and when they have a time of day of their own zone. */
interface Form {
  readonly moment: string;
  readonly is_local: string;
}

const HAS_NO_OFFSET = "has_no_offset(cleaned_time)";

const BUILT_IN: Form = {
  moment: "parse_time(cleaned_time)",
  is_local: HAS_NO_OFFSET,
};
/** The forms with a name; `is_local` is HAS_NO_OFFSET where it is left out. */
const FORMS: Readonly<
  Record<NamedFormat, Pick<Form, "moment"> & Partial<Form>>
> = {
  DMY: { moment: "dmy_time(cleaned_time)" },
  MDY: { moment: "mdy_time(cleaned_time)" },
  YMD: { moment: "ymd_time(cleaned_time)" },
  iso: { moment: "plain_iso_time(cleaned_time)" },
  epoch_s: { moment: "epoch_time(cleaned_time, 1)", is_local: "true" },
  epoch_ms: { moment: "epoch_time(cleaned_time, 1000)", is_local: "true" },
  excel: {
    moment: "serial_time(cleaned_time)",
    is_local: "has_day_fraction(cleaned_time)",
  },
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

function formOf(format: string | undefined): Form {
  if (format === undefined) return BUILT_IN;
  if (!format.includes("%")) {
    return { is_local: HAS_NO_OFFSET, ...FORMS[format as NamedFormat] };
  }
  const time = timeOfPattern("cleaned_time", format);
  const has_offset = hasOffset(format);
  return {
    moment: has_offset
      ? `timezone(getvariable('settings').time_zone, ${time})`
      : time,
    is_local: String(hasTime(format) && !has_offset),
  };
}

/** The SQL that reads a text by a pattern; null where it has another shape, which strptime may take all the same. */
function timeOfPattern(text: string, pattern: string): string {
  return `case when regexp_full_match(${text}, ${quoteText(shapeOf(pattern))})
        then try_strptime(${text}, ${quoteText(pattern.trim())}) end`;
}

/**
 * The SELECT of `select`'s rows with the moment of a column of times, where `rule` asks
 * for another one than the built-in rules find: `read_moment`, the code of its form, and
 * why there is none.
 */
export function withTime(
  select: string,
  { column, rule, shifts }: {
    readonly column: string;
    readonly rule: ColumnRule | undefined;
    /** By zone, the SQL that makes the column `local` a moment of TIME_ZONE. */
    readonly shifts: ReadonlyMap<string, string>;
  },
): string {
  if (!rule || !readsTime(rule)) {
    return `select
  *,
  null::timestamp as read_moment,
  null::utinyint as read_form,
  null::varchar as time_problem,
  false as reads_time
from (${select})`;
  }
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
  const of_pair = (built_in: string, named: string) =>
    is_pair
      ? `case when ${column}_value is not null then ${built_in}
        else ${named} end`
      : named;
  const cleaned = of_pair(BUILT_IN.moment, moment);
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
  const replaced: string[] = [];
  if (shift) {
    replaced.push(
      `if(read_form = 1, converted_form(day(local) > 12), read_form)::utinyint
      as read_form`,
    );
  }
  // A row set aside shows both cells: either may be wrong.
  if (is_pair) {
    replaced.push(`coalesce(written_time, ${column}) as ${column}`);
  }
  const replace = replaced.length > 0
    ? ` replace (
    ${replaced.join(",\n    ")})`
    : "";
  return `select
  *${replace},
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
      when quick_time is not null then ${
        format?.includes("%") ? "true" : "has_time_of_day(written_time)"
      }
      else ${of_pair(BUILT_IN.is_local, is_local)}
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
  return format.includes("%") && hasTime(format) && !hasOffset(format)
    ? timeOfPattern("written_time", format)
    : undefined;
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
                starts_with(${second}, ${quoteText(NATIVE_DATE)}),
                split_part(${second}, ' ', 2),
                ${second})))
        end`;
}
