-- name: the name of every known customer, for the index; empty for none.
-- params: none
-- A thousand of them a row, one a line; white space in them is folded.
with placed as (
  select
    row_number() over (order by customer_id) as place,
    coalesce(name, '') as name
  from known_customers
  left join (select customer_id, name from customers) using (customer_id))
select string_agg(name, chr(10) order by place)
from placed
group by place // 1000
order by place // 1000;
