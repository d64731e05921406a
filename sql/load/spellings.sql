-- name: every spelling of a channel among the interactions, cleaned once each.
-- params: none
create table channel_spellings as
select
  spelling,
  channel_text(spelling) as name,
  name_key(channel_text(spelling)) as key,
  rows
from (
  select interaction as spelling, count(*) as rows
  from staged_interactions
  where reject is null
  group by interaction);
