-- name: every known customer with occupation, type and counts per channel.
-- params: none
-- An occupation is one name whatever its case, the most frequent spelling, as
-- types are by now.
create temp table occupation_spellings as
with spelled as (
  select occupation as spelling, count(*) as rows
  from customers
  where occupation is not null
  group by occupation),
ranked as (
  select *, row_number() over (order by spelling) as rank from spelled)
select
  spelling,
  first_value(spelling) over (
    partition by name_key(spelling) order by rows desc, rank) as occupation
from ranked;

-- An ENUM needs a value and holds no NUL, as with channels.
create type type_name as enum (
  select replace(type, chr(0), chr(65533)) as type
  from customers
  where type is not null
  union
  select '' where (select count(type) from customers) = 0
  order by type);

create table known_customers as
select
  customer_channels.customer_id,
  occupation_spellings.occupation,
  replace(customers.type, chr(0), chr(65533))::type_name as type,
  customers.customer_id is not null as has_record,
  list_sum(list_value(
    *columns(customer_channels.* exclude (customer_id))))::integer as total,
  columns(customer_channels.* exclude (customer_id))
from customer_channels
left join customers using (customer_id)
left join occupation_spellings
  on occupation_spellings.spelling = customers.occupation
order by customer_channels.customer_id;

drop table occupation_spellings;

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
