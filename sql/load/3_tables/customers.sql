-- name: one record per customer, the later one; types under one name each.
-- params: none
create table repeated_customers as
select
  customer_id,
  max(rowid) as last,
  count(distinct struct_pack(
    name := coalesce(name, ''),
    /*spelt {column} := coalesce({staged}, ''),*/
    /*limited [,] {column} := name_key(coalesce({staged}, ''))*/)) > 1
    as conflicting
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

/*limited create table {column}_names as
with spelled as (
  select {staged} as name, count(*) as rows
  from customer_records
  where {staged} is not null
  group by all),
named as (
  select name, sum(rows) as rows
  from (select shown_name(name) as name, rows from spelled)
  group by name),
ranked as (
  select *, row_number() over (order by name) as rank from named)
select key, arg_max(name, (rows, -rank)) as name
from (select *, name_key(name) as key from ranked)
group by key;

create table {column}_spellings as
select spelling, {column}_names.name
from (
  select spelling, name_key(spelling) as key
  from (select distinct {staged} as spelling from customer_records))
join {column}_names using (key);
*/
create table customers as
select
  customer_id,
  /*spelt {staged} as {column},*/
  /*limited [,] {column}_spellings.name as {column}*/
from customer_records
/*limited left join {column}_spellings
  on {column}_spellings.spelling = customer_records.{staged}*/
order by customer_id;
