-- name: every spelling of a channel, and every cell with topics, among the
--   interactions, cleaned once each.
-- params: none
create table channel_spellings as
select spelling, text_value(spelling) as name, rows
from (
  select
    case
      when position is null then text else getvariable('spellings')[position]
    end as spelling,
    sum(rows) as rows
  from (
    select spelling as position, null as text, sum(rows)::bigint as rows
    from row_counts
    where spelling is not null
    group by position
    union all
    select null, texts[1], count(*)
    from rare_rows
    where spelling is null
    group by texts[1])
  -- One file may list what the one before does not.
  group by spelling);

-- A semicolon that separates nothing is chr(30): see mapped_source.ts.
create table topic_cells as
select cell, text_value(replace(part, chr(30), ';')) as name, rows
from (
  select cell, unnest(string_split(cell, ';')) as part, rows
  from (
    select texts[2] as cell, count(*) as rows
    from rare_rows
    where texts is not null
    group by cell)
  where text_value(cell) is not null);
