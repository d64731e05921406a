-- name: up to 1,000 random questions, and what a PIVOT answers to each, for the
--   check of the index: customer_id and whether it is known (1 or 0), first
--   and last day number (0 and 65535 without dates), topic code (-1 without
--   one), and the interactions per channel.
-- params: none
create temp table questions as
with spans as (
  select min(date_start)::date as first_date,
    max(date_start)::date - min(date_start)::date as days
  from interactions),
-- A period begins or ends on a day of the customer's own, where an index errs
-- first. Little data is asked about more than once.
dated as (
  select customer_id, date_start::date as one_date
  from interactions, (select unnest(range(
    1 + 500 // greatest((select count(*) from interactions), 1))))
  where customer_id > 0
  using sample reservoir (500 rows)),
undated as (
  select customer_id
  from customer_channels, (select unnest(range(
    1 + 400 // greatest((select count(*) from customer_channels), 1))))
  using sample reservoir (400 rows)),
-- Hardly any of these is there.
strangers as (
  select (1 + random() * 9007199254740990)::bigint as customer_id
  from range(100)),
asked as materialized (
  select customer_id, one_date, random() as place,
    first_date + (random() * days)::integer as other_date
  from dated, spans
  union all
  select customer_id, null, random(), null from undated
  union all
  select customer_id, null, random(), null from strangers),
sizes as (
  select customer_id, count(*) as rows
  from interactions
  where customer_id in (select customer_id from asked)
  group by customer_id)
select
  row_number() over () as question,
  customer_id,
  least(one_date, other_date) as start_date,
  greatest(one_date, other_date) as end_date,
  if(random() < 0.5, floor(random() * topics), null)::integer as topic_code
from asked left join sizes using (customer_id),
  (select nullif(count(*), 0) as topics from topics)
-- A question costs as many rows as its customer has: 0.3 s for all of them.
qualify sum(coalesce(rows, 0)) over (order by place) <= 5_000_000
  or row_number() over (order by place) <= 5;

select
  customer_id::double,
  (customer_id in (select customer_id from customer_channels))::usmallint,
  coalesce(start_date - date '1900-01-01', 0)::usmallint,
  coalesce(end_date - date '1900-01-01', 65535)::usmallint,
  coalesce(topic_code, -1)::double,
  columns(* exclude (
    question, customer_id, start_date, end_date, topic_code))::uinteger
from (
  pivot (
    select question, customer_id, start_date, end_date, topic_code, channel
    from questions
    join interactions using (customer_id)
    join topic_sets using (topic_set)
    where (start_date is null or date_start >= start_date)
      and (end_date is null or date_start < end_date + 1)
      and (topic_code is null or list_contains(topic_codes, topic_code))
    union all
    select question, customer_id, start_date, end_date, topic_code, null
    from questions
  ) on channel in channel_name using count(*) as rows
  group by question, customer_id, start_date, end_date, topic_code);
