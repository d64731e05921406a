-- name: the cleaning rules of docs/file-contract.md, one macro per rule.
-- params: none; the variable settings, from settings.sql
-- An argument is copied to each of its uses, and planned and run there. Where
-- it would be planned often, and is rarely run, a lambda names its value.

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

-- Cells that stand for no value; dashes of any length do.
create temp macro has_no_value(cell) as
  cell is null or regexp_full_match(
    cell,
    '(?i)' || unseen()
      || '(null|n/a|na|none|nan|<na>|\(null\)|\[null\]|\\N|\(blank\)'
      || '|undefined|[-\x{2010}-\x{2015}\x{2212}]+)?' || unseen());

-- Errors of spreadsheets in any language, as programs save them in text: in
-- capitals, before a ! or ?, or a word without these; stage_sheet.ts in
-- db/intake has the same. Nearly no cell has the sign that the cheap check
-- looks for. \p{Lu} would take five times as long to compile.
create temp macro is_error(cell) as
  contains(cell, '#') and regexp_full_match(
    cell,
    unseen()
      || '#([¡¿]?[A-Z\d/_\x{C0}-\x{58F}\x{1E00}-\x{1FFF}]+[!?]'
      || '|N/[ABD]|I/T|Н/Д|Δ/Υ|NV|YOK|HIÁNYZIK|NEDOSTUPNÝ'
      || '|NENÍ_K_DISPOZICI|GETTING_DATA)'
      || unseen())
  and cell = upper(cell) and cell <> lower(cell);
create temp macro lists_error(list) as
  contains(list, '#')
  and len(list_filter(string_split(list, ';'), lambda one: is_error(one))) > 0;
create temp macro error_reason() as 'a formula whose result is an error';

-- Most cells begin with a letter with which no sign of no value does, and have
-- nothing to clean: one look finds both.
create temp macro text_value(cell) as
  case
    when regexp_full_match(
      cell, '[A-MO-TV-Za-mo-tv-z][!-~]*( [!-~]+)*') then cell
    when has_no_value(cell) then null
    else clean_text(cell)
  end;

-- Names are equal when their keys are. Those of names with other characters
-- than ASCII are in name_keys, filled by db/duckdb/name_keys.ts; where there
-- are any, fold_names.sql has the rule.
create temp table name_keys (
  of_name varchar, its_key varchar, its_shown varchar);
create temp macro name_key(name) as lower(name);
create temp macro shown_name(name) as name;

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

-- ISO 8601; an offset converts to time_zone. DuckDB wants the seconds there,
-- and knows neither UTC nor a space before a zone.
create temp macro zoned_time(text) as
  timezone(
    getvariable('settings').time_zone,
    try_cast(regexp_replace(text, '^(.{16})([Z+-])', '\1:00\2')
      as timestamptz));
create temp macro iso_time(text) as
  case
    when regexp_full_match(
      text,
      '\d{4}-\d\d-\d\d([ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?)?')
      then try_cast(text as timestamp)
    when regexp_full_match(
      text,
      '\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):\d\d(:\d\d(\.\d+)?)?'
        || ' ?(Z|UTC|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)')
      then case
        when contains(text[17:], ' ') or contains(text, 'U')
          then zoned_time(regexp_replace(
            replace(text, 'UTC', 'Z'), ' ([Z+-])', '\1'))
        else zoned_time(text)
      end
  end;

-- Other times: D/M/YYYY, where slash_to_iso says which part is the day;
-- D.M.YYYY, always the day first; YYYY/M/D; AM or PM behind any of them, and an
-- offset or UTC behind a time.
create temp macro zone_of(text) as
  case
    when contains(text, ':')
      then regexp_extract(text, '(Z|UTC|[+-]\d\d(:?\d\d)?)$', 1)
    else ''
  end;
create temp macro local_time(text, slash_to_iso) as
  try_strptime(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      rtrim(text),
      '^(\d{1,2})/(\d{1,2})/(\d{4})', slash_to_iso),
      '^(\d{1,2})\.(\d{1,2})\.(\d{4})', '\3-\2-\1'),
      '^(\d{4})/(\d{1,2})/(\d{1,2})', '\1-\2-\3'),
      ' ?([AaPp])[Mm]$', ' \1M'),
    [
      '%Y-%m-%d', '%Y-%m-%d %H:%M', '%Y-%m-%d %H:%M:%S',
      '%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S %p']);
create temp macro has_time_shape(text) as
  regexp_full_match(
    text,
    '((\d{1,2}/\d{1,2}/\d{4}|\d{1,2}\.\d{1,2}\.\d{4}|\d{4}/\d{1,2}/\d{1,2})'
      || '( \d{1,2}:\d\d(:\d\d)?( ?[AaPp][Mm])?'
      || '( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)?)'
      || '|(\d{4}-\d\d-\d\d \d{1,2}:\d\d(:\d\d)? ?[AaPp][Mm]'
      || '( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)');
create temp macro other_time(text, slash_to_iso) as
  case
    when has_time_shape(text)
      then list_transform([zone_of(text)], lambda zone: list_transform(
        [local_time(text[:len(text) - len(zone)], slash_to_iso)],
        lambda moment:
          case
            when zone = '' then moment
            when regexp_full_match(
              zone, 'Z|UTC|[+-]([01]\d|2[0-3])(:?[0-5]\d)?')
              then zoned_time(
                strftime(moment, '%Y-%m-%d %H:%M:%S')
                  || replace(zone, 'UTC', 'Z'))
          end)[1])[1]
  end;

-- A day as spreadsheets count them, in text: it lost its format. The range is
-- that of workbooks.
create temp macro serial_time(text) as
  case
    when regexp_full_match(text, '[1-6]\d{4}(\.\d{1,12})?')
      then timestamp '1899-12-30'
        + to_milliseconds(round(text::double * 86400000)::bigint)
  end;

create temp macro slash_time(text, slash_date) as
  try_strptime(text, [
    slash_date, slash_date || ' %H:%M', slash_date || ' %H:%M:%S']);

-- The most usual forms come first, each known by as little as possible. The
-- format that stands in is for a snapshot that is reopened: it compares names
-- by these rules, without settings.
create temp macro parse_time(text) as
  case
    when regexp_full_match(
      text, '\d{1,2}/\d{1,2}/\d{4}( \d{1,2}:\d\d(:\d\d)?)?')
      then slash_time(
        text, coalesce(getvariable('settings').slash_date, '%d/%m/%Y'))
    when text[5:5] = '-' and not regexp_matches(text, '[AaPp][Mm]')
      then iso_time(text)
    when regexp_full_match(text, '\d{5}(\.\d+)?') then serial_time(text)
    else other_time(text, getvariable('settings').slash_to_iso)
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
-- of readDates in db/duckdb/load.ts. fast_time takes two forms only.
create temp macro fast_form(cell) as
  case when contains(cell, '/') then 1 else 2 end;

-- D/M/YYYY is 1 where the moment has the day that is written. Converted from
-- another zone it may have the next one: 12 says that the day that is written
-- is above 12, and 11 that it is not.
create temp macro converted_form(day_above_12) as if(day_above_12, 12, 11);
create temp macro is_slash_form(form) as form in (1, 11, 12);
create temp macro fits_only_this(form, moment) as
  case
    when form = 1 then day(moment) > 12
    else form = 12 and moment is not null
  end;
create temp macro time_form(text) as
  case
    when regexp_full_match(text, '\d{4}/.*') then 7
    when contains(text, '/')
      then if(
        zone_of(text) = '', 1,
        converted_form(
          regexp_matches(text, '^(\d{1,2}/)?(1[3-9]|[23]\d)/')))
    when regexp_full_match(text, '\d{1,2}\..*') then 6
    when serial_time(text) is not null then 8
    when zone_of(text) <> '' then 3
    else 2
  end;
create temp macro month_form(text) as
  case
    when regexp_full_match(text, '\d{1,2}[-/]\d{4}') then 4
    when regexp_full_match(text, '\d{4}-\d\d') then 5
    when regexp_full_match(text, '[A-Za-z]{3}-.*') then 9
    else time_form(text)
  end;

-- Real days from 1900-01-01 to 2078-12-31: what 16 bits of days can hold.
create temp macro in_calendar(moment) as
  moment >= timestamp '1900-01-01' and moment < timestamp '2079-01-01';

create temp macro month_of_parts(year_text, month_text) as
  try_strptime(year_text || '-' || month_text, '%Y-%m');

-- The digits of a month and its year without anything between them are no day
-- of a spreadsheet: 12019 may be January 2019.
create temp macro may_be_month_and_year(text) as
  regexp_full_match(text, '[1-9](19\d\d|20[0-7]\d)(\.0+)?');

-- Months: M-YYYY, M/YYYY, YYYY-MM, Jan-19, Jan-2019, or a date.
create temp macro parse_month(text) as
  date_trunc('month', case
    when regexp_full_match(text, '\d{1,2}[-/]\d{4}')
      then month_of_parts(
        regexp_extract(text, '\d{4}$'), regexp_extract(text, '^\d+'))
    when regexp_full_match(text, '\d{4}-\d\d')
      then month_of_parts(text[:4], text[6:])
    when regexp_full_match(text, '[A-Za-z]{3}-(\d\d|\d{4})')
      then try_strptime(
        case when len(text) = 6 then text[:4] || '20' || text[5:] else text end,
        '%b-%Y')
    when may_be_month_and_year(text) then null
    else parse_time(text)
  end)::date;

-- Why a cleaned text is not a time (or, with expected, not a month).
create temp macro time_reason(text, expected) as
  case
    when text is null then 'no value'
    when is_error(text) then error_reason()
    when expected = 'a month' and may_be_month_and_year(text)
      then 'ambiguous: a month and its year, or the number of a day;'
        || ' write it as 2019-12'
    when other_time(
        text, getvariable('settings').other_slash_to_iso)
        is not null
      then 'fits only the other order of day and month; see DATE_ORDER'
    when has_time_shape(text)
      or regexp_full_match(
        text,
        '\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?'
          || '( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?)?')
      then 'no such day or time'
    when expected = 'a month'
      and regexp_full_match(
        text,
        '\d{1,2}[-/]\d{4}|\d{4}-\d\d')
      then 'no such month'
    when regexp_full_match(
        text,
        '\d{1,2}([-/. ])(\d{1,2}|[A-Za-z]{3})[-/. ]\d\d([ T].*)?')
      then 'a year of two digits; write all four'
    when expected = 'a month'
      then 'not a month in a known form, such as 2019-12 or 12-2019'
    else 'not a time in a known form, such as 2019-12-31 or 2019-12-31 23:59'
  end;

-- Ids: 1 to 2^53-1 without leading zeros; 12.0, as spreadsheets write, is 12.
create temp macro in_id_range(id) as
  case when id between 1 and 9007199254740991 then id::bigint end;

-- One number with its digits grouped, or several: 1,234 and 1,23,456 as in
-- India, 1.234 as in Germany.
create temp macro has_groups(text) as
  regexp_full_match(
    text,
    '\d{1,3}((,\d{3})+|(,\d\d)+,\d{3})(\.0+)?|\d{1,3}(\.\d{3})+(,\d+)?');

-- 12,50 in a file whose delimiter leaves the comma to decimals.
create temp macro has_decimals(text, decimal_commas) as
  decimal_commas and regexp_full_match(text, '\d+,\d\d');

create temp macro parse_id(text) as
  case
    when regexp_full_match(text, '[1-9]\d{0,15}(\.0+)?')
      and not has_groups(text)
      then in_id_range(split_part(text, '.', 1)::ubigint)
  end;

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
create temp macro parse_ids(text, decimal_commas) as
  case
    when has_groups(text) or has_decimals(text, decimal_commas) then null
    when len(list_filter(
        id_cells(text), lambda cell: parse_id(cell) is null)) > 0
      then null
    else list_distinct(list_transform(
        id_cells(text), lambda cell: parse_id(cell)))
  end;

-- Why a cleaned text is no id. \pL twice in one pattern takes 4 ms to compile,
-- so the first one leaves out what of ASCII no id has, and what stands for NUL.
create temp macro id_reason(text) as
  list_transform([text], lambda id:
    case
      when is_error(id) then error_reason()
      when has_groups(id)
        then 'ambiguous: one number with grouped digits, or several ids; write'
          || ' ids without grouping, and separate several by ;'
      when regexp_full_match(id, '0+[1-9]\d*(\.0+)?')
        then 'an id with leading zeros; ids are whole numbers, without them'
      when regexp_full_match(id, '[^\x00-,;-@\[-^`{-\x7F\x{FFFD}]+')
        and regexp_matches(id, '\pL')
        and regexp_matches(id, '\d')
        then 'an id with letters; ids are whole numbers, such as 12'
      else 'not a customer id from 1 to 9007199254740991'
    end)[1];

-- Why a cleaned text is no list of customers. A row without a customer is no
-- mistake: it is counted apart.
create temp macro ids_reason(text, decimal_commas) as
  list_transform([text], lambda list: list_transform(
    [id_cells(list)], lambda cells:
      case
        when list is null or regexp_full_match(list, '0(\.0+)?')
          then 'no customer'
        when not has_groups(list) and len(list_filter(
            [list] || cells,
            lambda cell: has_decimals(cell, decimal_commas))) > 0
          then 'ambiguous: one number with a decimal comma, or several ids;'
            || ' separate several by ;'
        when len(cells) > 1 and list_contains(cells, '')
          and len(list_filter(cells, lambda cell: has_groups(cell))) = 0
          then 'a list of customers with an empty element'
        else id_reason((
          list_filter([list] || cells, lambda cell: has_groups(cell))
            || list_filter(cells, lambda cell: parse_id(cell) is null))[1])
      end)[1])[1];

-- A label of a row that sums up the others, and a text that begins with one.
create temp macro is_summary(label) as
  regexp_full_match(
    label,
    '(?i)\s*((grand|sub|overall)[ -]?)?(totals?|sum|summe|summary|gesamt'
      || '|gesamtsumme|insgesamt|totale|somme|suma)\s*:?\s*');
create temp macro begins_as_summary(label) as
  regexp_full_match(
    label,
    '(?i)\s*((grand|sub|overall)[ -]?)?(totals?|sum|summe|gesamt|insgesamt'
      || '|totale|somme|suma)\b.*');
