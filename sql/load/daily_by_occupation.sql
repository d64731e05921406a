-- name: interactions a day, channel, type, occupation and topic set.
-- params: none
create table daily_by_occupation as
with counted as (
  select
    date_start::date as day, channel, kind, topic_set, count(*) as rows
  from interactions
  join (select customer_id, kind from known_customers) using (customer_id)
  group by all),
kinds as (
  select distinct kind, type, rolled_up as occupation from customer_kinds)
select day, channel, type, occupation, topic_set, rows::integer as rows
from counted join kinds using (kind)
order by all;

drop table customer_kinds;
drop table occupation_spellings;
