-- name: the cleaning rules of docs/file-contract.md, one macro per rule.
-- params: none; the variable settings, from settings.sql

-- White space, and what is not seen: Unicode's Default_Ignorable_Code_Point
-- without the tags of flags, as db/model/names.ts has it.
create temp macro unseen() as
  '[\s\x0B\x{85}\pZ\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}'
    || '\x{180B}-\x{180F}\x{200B}-\x{200F}\x{202A}-\x{202E}'
    || '\x{2060}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}'
    || '\x{FFF0}-\x{FFF8}\x{1BCA0}-\x{1BCA3}\x{1D173}-\x{1D17A}'
    || '\x{E0000}-\x{E001F}\x{E0080}-\x{E0FFF}]*';

-- Text: NFC, trimmed, inner white space folded, no-break spaces included;
-- without zero width spaces, soft hyphens and directional marks, which nothing
-- needs. Joiners and variation selectors are left to shown_name.
-- U+FFFD stands in for NUL, which an ENUM may not hold and at which
-- nfc_normalize cuts: the id '1', NUL, 'é' would be customer 1.
create temp macro clean_text(cell) as
  case
    when regexp_full_match(cell, '[!-~]+( [!-~]+)*') then cell
    else trim(regexp_replace(
      nfc_normalize(regexp_replace(
        replace(cell, chr(0), chr(65533)),
        '[\x{AD}\x{61C}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}'
          || '\x{2060}-\x{206F}\x{FEFF}]+', '', 'g')),
      '[\s\x0B\x{85}\pZ]+', ' ', 'g'))
  end;

-- What ids are read from: a clean text without anything invisible, in which
-- full-width digits and separators are plain ones.
create temp macro plain_text(cell) as
  case
    when regexp_full_match(cell, '[!-~]+( [!-~]+)*') then cell
    else clean_text(translate(
      regexp_replace(
        cell, '[\x{200C}\x{200D}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]+',
        '', 'g'),
      '０１２３４５６７８９．，；｜', '0123456789.,;|'))
  end;

-- Cells that stand for no value.
create temp macro has_no_value(cell) as
  cell is null or regexp_full_match(
    cell, '(?i)' || unseen() || '(null|n/a|na|none|-)?' || unseen());

create temp macro text_value(cell) as
  case when has_no_value(cell) then null else clean_text(cell) end;

-- Names are equal when their keys are. Those of names with other characters
-- than ASCII are in name_keys, filled by db/duckdb/name_keys.ts.
create temp table name_keys (
  of_name varchar, its_key varchar, its_shown varchar);
create temp macro name_key(name) as
  coalesce(
    (select its_key from name_keys where of_name = name), lower(name));
create temp macro shown_name(name) as
  coalesce((select its_shown from name_keys where of_name = name), name);

-- Why a row is set aside. A list, because a column of null lists is stored in
-- a quarter of the time of a struct of three columns.
create temp macro as_fault(column_name, cell, reason) as
  [column_name, left(cell, 200), reason];

-- Of a spreadsheet's cell that is wrong in itself: column, reason and value,
-- split by tabs.
create temp macro problem_fault(problem) as
  as_fault(
    split_part(problem, chr(9), 1), split_part(problem, chr(9), 3),
    split_part(problem, chr(9), 2));

create temp macro slash_time(text, slash_date) as
  case
    when regexp_full_match(
      text, '\d{1,2}/\d{1,2}/\d{4}( \d{1,2}:\d\d(:\d\d)?)?')
      then try_strptime(text, [
        slash_date, slash_date || ' %H:%M', slash_date || ' %H:%M:%S'])
  end;

-- ISO 8601; an offset converts to time_zone. DuckDB wants the seconds there.
create temp macro iso_time(text) as
  case
    when regexp_full_match(
      text,
      '\d{4}-\d\d-\d\d([ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?)?')
      then try_cast(text as timestamp)
    when regexp_full_match(
      text,
      '\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?'
        || '(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)')
      then timezone(
        getvariable('settings').time_zone,
        try_cast(regexp_replace(text, '^(.{16})([Z+-])', '\1:00\2')
          as timestamptz))
  end;

create temp macro parse_time(text) as
  case
    when contains(text, '/')
      then slash_time(text, getvariable('settings').slash_date)
    else iso_time(text)
  end;

-- The common forms, at half the cost of regular expressions; what it does not
-- take, parse_time may. strptime takes fewer digits only where a shape leaves
-- room for white space: digits are asked for where that would break a rule.
create temp macro fast_time(cell) as
  case
    when cell glob '??/??/???[0-9] ??:?[0-9]'
      then try_strptime(
        cell, getvariable('settings').slash_date || ' %H:%M')
    when cell glob '??/??/???[0-9] ??:??:?[0-9]'
      then try_strptime(
        cell, getvariable('settings').slash_date || ' %H:%M:%S')
    when cell glob '??/??/???[0-9]'
      then try_strptime(cell, getvariable('settings').slash_date)
    when cell glob '[0-9]???-??-?[0-9] [0-9]?:??:?[0-9]'
      then try_strptime(cell, '%Y-%m-%d %H:%M:%S')
    when cell glob '[0-9]???-??-??T[0-9]?:??:?[0-9]'
      then try_strptime(cell, '%Y-%m-%dT%H:%M:%S')
    when cell glob '[0-9]???-??-?[0-9]'
      then try_strptime(cell, '%Y-%m-%d')
  end;

-- How a time, or a month, that can be read is written: a position in the list
-- of readDateForms in db/duckdb/load.ts.
create temp macro time_form(cell) as
  case
    when contains(cell, '/') then 1
    when contains(cell, 'Z') or contains(cell, '+') or cell like '%:%-%'
      then 3
    else 2
  end;
create temp macro month_form(text) as
  case
    when regexp_full_match(text, '\d{1,2}[-/]\d{4}') then 4
    when regexp_full_match(text, '\d{4}-\d\d') then 5
    else time_form(text)
  end;

-- Real days from 1900-01-01 to 2078-12-31: what 16 bits of days can hold.
create temp macro in_calendar(moment) as
  moment >= timestamp '1900-01-01' and moment < timestamp '2079-01-01';

create temp macro month_of_parts(year_text, month_text) as
  try_strptime(year_text || '-' || month_text, '%Y-%m');

-- Months: M-YYYY, M/YYYY, YYYY-MM, or a date.
create temp macro parse_month(text) as
  date_trunc('month', case
    when regexp_full_match(text, '\d{1,2}[-/]\d{4}')
      then month_of_parts(
        regexp_extract(text, '\d{4}$'), regexp_extract(text, '^\d+'))
    when regexp_full_match(text, '\d{4}-\d\d')
      then month_of_parts(text[:4], text[6:])
    else parse_time(text)
  end)::date;

-- Why a cell is not a time (or, with expected, not a month).
create temp macro time_reason(cell, expected) as
  case
    when text_value(cell) is null then 'no value'
    when parse_time(text_value(cell)) is not null
      then 'outside 1900-01-01 to 2078-12-31'
    when slash_time(
        text_value(cell), getvariable('settings').other_slash_date)
        is not null
      then 'fits only the other order of day and month; see DATE_ORDER'
    when regexp_full_match(
        text_value(cell),
        '(\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d\d-\d\d)([ T][0-9:.]+)?.{0,6}'
          || '|\d{1,2}[-/]\d{4}|\d{4}-\d\d')
      then 'no such day or time'
    else 'not ' || expected
  end;

-- Ids: 1 to 2^53-1 without leading zeros; 12.0, as spreadsheets write, is 12.
create temp macro in_id_range(id) as
  case when id between 1 and 9007199254740991 then id::bigint end;

create temp macro parse_id(text) as
  case
    when regexp_full_match(text, '[1-9]\d{0,15}(\.0+)?')
      then in_id_range(split_part(text, '.', 1)::ubigint)
  end;

-- A comma that may separate thousands.
create temp macro has_thousands(text) as
  regexp_full_match(text, '\d{1,3}(,\d{3})+(\.0+)?');

-- The elements of a list of customers, from a cleaned text.
create temp macro id_cells(text) as
  list_transform(
    case
      when contains(text, ';') or contains(text, '|')
        then regexp_split_to_array(text, '[;|]')
      else string_split(text, ',')
    end,
    lambda cell: trim(cell));

-- Ids listed in a cleaned text, each once; null when any element is not an id.
create temp macro parse_ids(text) as
  case
    when has_thousands(text) then null
    when len(list_filter(
        id_cells(text), lambda cell: parse_id(cell) is null)) > 0
      then null
    else list_distinct(list_transform(
        id_cells(text), lambda cell: parse_id(cell)))
  end;

create temp macro ids_reason(text) as
  case
    when text is null then 'no value'
    when has_thousands(text)
      or len(list_filter(
        id_cells(text), lambda cell: has_thousands(cell))) > 0
      then 'ambiguous: the comma may separate thousands or customers'
    when len(id_cells(text)) > 1 and list_contains(id_cells(text), '')
      then 'a list of customers with an empty element'
    else 'not a customer id from 1 to 9007199254740991'
  end;
