-- name: interactions per day, channel, type, occupation and topic set.
-- params: none
-- Grouping by a kind takes a third of the time of grouping by its names.
create table daily_by_occupation as
with counted as (
  select
    date_start::date as day, channel, rolled_kind, topic_set, count(*) as rows
  from interactions
  join (select customer_id, rolled_kind from known_customers)
    using (customer_id)
  group by all),
rolled_kinds as (
  select distinct rolled_kind, type, rolled_up as occupation
  from kind_spellings)
select day, channel, type, occupation, topic_set, rows::integer as rows
from counted left join rolled_kinds using (rolled_kind)
order by day, channel, type, occupation, topic_set, rolled_kind;
