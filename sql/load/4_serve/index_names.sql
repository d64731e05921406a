-- name: the name of every known customer, for the index.
-- params: none
select coalesce(name, '')
from known_customers
left join (select customer_id, name from customers) using (customer_id)
order by customer_id;
