-- name: every known customer with occupation, type and counts per channel.
-- params: none
create table known_customers as
select
  customer_channels.customer_id,
  customer_kinds.occupation,
  customer_kinds.type,
  kind,
  customers.customer_id is not null as has_record,
  list_sum(list_value(
    *columns(customer_channels.* exclude (customer_id))))::integer as total,
  columns(customer_channels.* exclude (customer_id))
from customer_channels
left join customers using (customer_id)
join customer_kinds
  on own_occupation = coalesce(customers.occupation, '')
  and own_type = coalesce(customers.type, '')
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
