-- name: the interactions, sorted; in the overlap of exports, as often as in the
--   export that has one most.
-- params: first, last
create table interactions as
select customer_id, channel, date_start, topic_set
from interaction_sources
where not (
  file in (select file from files where merges)
  and date_start between $first::timestamp and $last::timestamp)
union all
select customer_id, channel, date_start, topic_set
from overlapping_copies
where copy = 1
order by customer_id, channel, date_start, topic_set;
