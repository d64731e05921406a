-- name: the interactions, sorted; in the overlap of exports, as often as in the
--   export that has one most.
-- params: first, last
create table interactions as
with numbered as (
  select
    *,
    file in (select file from files where not part)
      and date_start between $first::timestamp and $last::timestamp as merges
  from interaction_sources),
repeats as (
  select *, row_number() over (
    partition by file, customer_id, channel, date_start, topic_set) as repeat
  from numbered
  where merges),
copies as (
  select *, row_number() over (
    partition by customer_id, channel, date_start, topic_set, repeat
    order by file) as copy
  from repeats)
select customer_id, channel, date_start, topic_set
from numbered
where not merges
union all
select customer_id, channel, date_start, topic_set
from copies
where copy = 1
order by customer_id, channel, date_start, topic_set;
