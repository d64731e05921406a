-- name: interactions a day, channel, type, occupation and topic set.
-- params: by_occupation; false leaves the occupation out, where there are many
create table daily_by_occupation as
select
  date_start::date as day,
  channel,
  type,
  case when $by_occupation then occupation end as occupation,
  topic_set,
  count(*)::integer as rows
from interactions join known_customers using (customer_id)
group by all
order by all;
