-- name: one record per customer, the later one; types under one name each.
-- params: none
create table repeated_customers as
select
  customer_id,
  max(rowid) as last,
  count(distinct struct_pack(
    occupation := coalesce(occupation, ''),
    type := name_key(coalesce(type, '')),
    attributes := attributes)) > 1 as conflicting
from staged_customers
where fault is null and customer_id in (
  select customer_id from staged_customers
  where fault is null
  group by customer_id
  having count(*) > 1)
group by customer_id;

create temp view customer_records as
select customer_id, name, occupation, type, attributes
from staged_customers left join repeated_customers using (customer_id)
where fault is null
  and (last is null or last = staged_customers.rowid);

create table types as
with spelled as (
  select type as name, count(*) as rows
  from customer_records
  where type is not null
  group by type),
named as (
  select name, sum(rows) as rows
  from (select shown_name(name) as name, rows from spelled)
  group by name),
ranked as (
  select *, row_number() over (order by name) as rank from named)
select key, arg_max(name, (rows, -rank)) as type
from (select *, name_key(name) as key from ranked)
group by key;

create table type_spellings as
select spelling, types.type
from (
  select spelling, name_key(spelling) as key
  from (select distinct type as spelling from customer_records))
join types using (key);

create table customers as
select
  customer_id,
  occupation,
  /*attribute attributes[{position}] as {column},*/
  type_spellings.type
from customer_records
left join type_spellings on spelling = customer_records.type
order by customer_id;
