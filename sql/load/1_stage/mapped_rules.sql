-- name: the cleaning rules that tally.toml may ask for, one macro per rule.
-- params: none; the variable settings, from settings.sql
-- Ids that are texts: trimmed, and compared exactly. Of a text without anything
-- but plain characters there is nothing to trim.
create temp macro id_text(cell) as
  case
    when regexp_full_match(cell, '[!-~]+') then cell
    else nfc_normalize(regexp_replace(
      replace(cell, chr(0), chr(65533)),
      '^' || unseen() || '|' || unseen() || '$', '', 'g'))
  end;

-- What a spreadsheet makes of a long number, with the point or the comma of its
-- country. 1E5 may be a code: it has neither a fraction nor a plus. Most ids
-- have none of the signs that the cheap check looks for.
create temp macro is_mangled(cell) as
  (contains(cell, '+') or contains(cell, '.') or contains(cell, ','))
  and regexp_full_match(
    cell,
    unseen() || '-?\d([.,]\d+[Ee]\+?|[Ee]\+)\d+' || unseen());

-- Longer than any word that stands for no value: an id as it stands.
create temp macro quick_text_id(cell) as
  case
    when strlen(cell) between 10 and 128
      and regexp_full_match(cell, '[0-9A-Za-z][!-~]*')
      and not is_mangled(cell)
      then cell
  end;
create temp macro parse_text_id(id) as
  case
    when has_no_value(id) or is_error(id) or is_mangled(id)
      or length(id) > 128 or id in ('.', '..')
      or regexp_matches(id, '\p{Cc}')
      then null
    else id
  end;

create temp macro prefixed_id(prefix, id) as
  case
    when length(prefix || id) <= 128 then nfc_normalize(prefix || id)
  end;

create temp macro mangled_reason() as
  'an id that a spreadsheet has rounded; export it as text';
create temp macro text_id_reason(id) as
  case
    when has_no_value(id) then 'no value'
    when is_error(id) then error_reason()
    when is_mangled(id) then mangled_reason()
    when length(id) > 128 then 'an id of more than 128 characters'
    when id in ('.', '..') then 'an id that no address can have'
    else 'an id with a control character'
  end;

-- The last three characters of the 18 of a Salesforce id say which of the 15
-- before them are capitals: five bits each, the first character the lowest.
create temp macro capitals(five) as
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'[
    1 + list_sum(list_transform(
      [1, 2, 3, 4, 5],
      lambda i: case
        when five[i:i] between 'A' and 'Z' then 1 << (i - 1)
        else 0
      end))::integer];
create temp macro salesforce_checksum(id) as
  capitals(id[1:5]) || capitals(id[6:10]) || capitals(id[11:15]);
create temp macro parse_salesforce_id(id) as
  case
    when regexp_full_match(id, '[0-9A-Za-z]{15}')
      then id || salesforce_checksum(id)
    when regexp_full_match(id, '[0-9A-Za-z]{18}')
      and id[16:18] = salesforce_checksum(id)
      then id
  end;

-- Cells that a separator does not split, although it may be in them: N/A has a
-- slash.
create temp macro is_whole(cell) as has_no_value(cell) or is_error(cell);

-- How many interactions a row stands for; 1.000 could be a thousand.
create temp macro in_count_range(number) as
  case when number <= 1_000_000 then number::uinteger end;
create temp macro count_of(cell) as
  case
    when try_cast(cell as ubigint)::varchar = cell
      then in_count_range(try_cast(cell as ubigint))
    when regexp_full_match(plain_text(cell), '\d{1,16}(\.0+)?')
      and not has_groups(plain_text(cell))
      then in_count_range(split_part(plain_text(cell), '.', 1)::ubigint)
  end;
create temp macro count_reason(cell) as
  case
    when has_no_value(cell) then 'no value'
    when is_error(cell) then error_reason()
    else 'not a whole number from 0 to 1000000'
  end;

-- What is wrong with a cell that no other rule reads as more than a text: see
-- problem_fault.
create temp macro error_problem(column_name, cell) as
  case
    when is_error(cell)
      then concat_ws(chr(9), column_name, error_reason(), clean_text(cell))
  end;

-- Rounded, the ids of many interactions are one.
create temp macro mangled_problem(column_name, cell) as
  case
    when is_mangled(cell)
      then concat_ws(chr(9), column_name, mangled_reason(), clean_text(cell))
  end;

-- What interactions and customers are matched by. Rounded, the values of many
-- customers are one.
create temp macro text_match_key(cell) as
  case when not is_mangled(cell) then lower(text_value(cell)) end;
-- 493012345678.0, as programs write a number, is 493012345678; more zeros may
-- be digits, as in 555.0000.
create temp macro phone_match_key(cell) as
  case
    when regexp_matches(plain_text(cell), '\d') and not is_mangled(cell)
      then if(starts_with(plain_text(cell), '+'), '+', '')
        || regexp_replace(
          regexp_replace(plain_text(cell), '^(\d+)\.0$', '\1'), '\D', '', 'g')
  end;

-- Times in the forms that have a name; order_to_iso says which part is the day.
create temp macro day_first(text) as
  regexp_full_match(
    text,
    '\d{1,2}(/\d{1,2}/|-\d{1,2}-|\.\d{1,2}\.)\d{4}(,? .*)?');
create temp macro in_order(text, order_to_iso) as
  case
    when day_first(text)
      then other_time(
        regexp_replace(
          text, '^(\d{1,2})[-.](\d{1,2})[-.](\d{4})', '\1/\2/\3')
          .regexp_replace('^(\S+), ', '\1 '),
        order_to_iso)
  end;
create temp macro dmy_time(text) as in_order(text, '\3-\2-\1');
create temp macro mdy_time(text) as in_order(text, '\3-\1-\2');
create temp macro plain_iso_time(text) as
  case when regexp_matches(text, '^\d{4}-') then iso_time(text) end;
create temp macro ymd_time(text) as
  case
    when plain_iso_time(text) is not null then plain_iso_time(text)
    when regexp_full_match(
      text,
      '\d{4}(/\d{1,2}/|-\d{1,2}-|\.\d{1,2}\.)\d{1,2}(,? .*)?')
      then other_time(
        regexp_replace(
          text, '^(\d{4})[-.](\d{1,2})[-.](\d{1,2})', '\1/\2/\3')
          .regexp_replace('^(\S+), ', '\1 '),
        '')
  end;
-- From 1900 to 2078; without a zone, in UTC.
create temp macro epoch_time(text, ticks) as
  case
    when regexp_full_match(text, '\d{1,14}')
      then case
        when text::bigint < 4_000_000_000 * ticks
          then make_timestamp(text::bigint * (1000000 // ticks))
      end
    when regexp_full_match(text, '-?\d{1,14}(\.\d{1,9})?')
      and abs(text::double) < 4e9 * ticks
      then make_timestamp((text::decimal(38, 9) * (1000000 // ticks))::bigint)
  end;

create temp macro has_time_of_day(text) as contains(text, ':');
create temp macro has_day_fraction(text) as
  regexp_full_match(text, '\d{5}\.\d*[1-9]\d*');
create temp macro has_no_offset(text) as
  if(contains(text, ':'), zone_of(text) = '', has_day_fraction(text));

-- The forms that need no cleaning, without regular expressions: see fast_time.
create temp macro quick_slash_time(cell, slash_date) as
  case
    when cell glob '??/??/???[0-9] ??:?[0-9]'
      then try_strptime(cell, slash_date || ' %H:%M')
    when cell glob '??/??/???[0-9] ??:??:?[0-9]'
      then try_strptime(cell, slash_date || ' %H:%M:%S')
    when cell glob '??/??/???[0-9]' then try_strptime(cell, slash_date)
  end;
create temp macro quick_iso_time(cell) as
  case when not contains(cell, '/') then fast_time(cell) end;

create temp macro salesforce_id_reason(id) as
  case
    when is_error(id) then error_reason()
    when regexp_full_match(id, '[0-9A-Za-z]{18}')
      then 'not a Salesforce id: the last three characters are not the'
        || ' checksum of the others'
    else 'not a Salesforce id of 15 or 18 letters and digits'
  end;
