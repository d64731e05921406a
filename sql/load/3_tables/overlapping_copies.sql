-- name: the interactions in the overlap of exports; copies after the first are
--   of other exports and do not count.
-- params: first, last
create table overlapping_copies as
with repeats as (
  select *, row_number() over (
    partition by file, customer_id, channel, date_start, topic_set) as repeat
  from interaction_sources join (select file, source from files where merges)
    using (file)
  where date_start between $first::timestamp and $last::timestamp)
select *, row_number() over (
  partition by source, customer_id, channel, date_start, topic_set, repeat
  order by file) as copy
from repeats;
