-- name: every spelling of a channel among the interactions, cleaned once each.
-- params: none
create table channel_spellings as
select
  spelling,
  text_value(spelling) as name,
  name_key(text_value(spelling)) as key,
  rows
from (
  select
    case
      when position is null then text else getvariable('spellings')[position]
    end as spelling,
    sum(rows) as rows
  from (
    select spelling as position, texts[1] as text, count(*) as rows
    from staged_interactions
    where fault is null
    group by position, text)
  -- One file may list what the one before does not.
  group by spelling);
