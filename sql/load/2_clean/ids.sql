-- name: numbers ids that are texts, by their rank in code-point order;
--   a row that a later one replaces names no customer.
-- params: none
create table ids as
select (row_number() over (order by id))::bigint as customer_id, id
from (
  select customer_id as id from staged_customers where fault is null
  union
  select customer_id from common_rows
  union
  select customer_id from rare_interactions
  union
  select unnest(customer_ids)
  from rare_interactions)
-- The empty text stands for a customer who is not known.
where id <> ''
order by id;

create table numbered_customers as
select staged_customers.* replace (ids.customer_id as customer_id)
from staged_customers join ids on id = staged_customers.customer_id
where fault is null
order by staged_customers.rowid;
drop table staged_customers;
alter table numbered_customers rename to staged_customers;
