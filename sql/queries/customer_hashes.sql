-- name: a number for each customer record, ascending, equal for equal records.
-- params: none
select (hash(customer_id, occupation, type) >> 11)::double as row_hash
from customers
order by row_hash;
