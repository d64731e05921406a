-- name: adds the names of customers.
-- params: none
create or replace table customers as
select customers.*, name
from customers join (
  select customer_id, name
  from staged_customers left join repeated_customers using (customer_id)
  where fault is null
    and (last is null or last = staged_customers.rowid))
  using (customer_id)
order by customer_id;
