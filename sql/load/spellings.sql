-- name: every spelling of a channel among the interactions, cleaned once each.
-- params: none
create table channel_spellings as
select
  spelling,
  text_value(spelling) as name,
  name_key(text_value(spelling)) as key,
  rows
from (
  select interaction as spelling, count(*) as rows
  from staged_interactions
  where reject is null
  group by interaction);
