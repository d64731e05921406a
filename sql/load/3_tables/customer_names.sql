-- name: adds the names of customers.
-- params: none
create or replace table customers as
select customers.*, name
from customers join customer_records using (customer_id)
order by customer_id;
