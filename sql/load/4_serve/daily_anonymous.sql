-- name: adds the interactions of nobody who is known to the rollup.
-- params: none
insert into daily_by_record by name
select
  date_start::date as day, channel, topic_set, count(*)::integer as rows
from interactions
where customer_id = 0
group by all
order by all;
