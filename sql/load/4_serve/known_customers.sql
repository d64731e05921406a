-- name: every known customer with kind and counts per channel.
-- params: none
create table kinds as
select
  *,
  /*searched name_key({column}) as {column}_key,*/
  true as has_record
from (
  select distinct kind, /*record [,] {column}*/
  from kind_spellings)
union all by name
select 0 as kind, false as has_record;

create table known_customers as
select
  customer_channels.customer_id,
  coalesce(kind, 0) as kind,
  coalesce(rolled_kind, 0) as rolled_kind,
  list_sum(list_value(
    *columns(customer_channels.* exclude (customer_id))))::integer as total,
  columns(customer_channels.* exclude (customer_id))
from customer_channels
left join (
  select customer_id, kind, rolled_kind
  from customers join kind_spellings
    on /*record [ and] own_{column} = coalesce(customers.{column}, '')*/
  ) as records
  using (customer_id)
order by customer_channels.customer_id;

-- Set 0, which has no topic, has one row without.
create table set_topics as
select topic_set, topic_code, topic
from (
  select
    topic_set,
    unnest(if(len(topic_codes) = 0, [null], topic_codes)) as topic_code
  from topic_sets)
left join topics using (topic_code)
order by topic_set, topic_code;
