-- name: adds the interactions of nobody who is known to the rollup.
-- params: none
insert into daily_by_occupation
select
  date_start::date, channel, null, null, topic_set, count(*)::integer
from interactions
where customer_id = 0
group by all
order by all;
