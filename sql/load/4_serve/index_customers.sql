-- name: every known customer with kind and counts per channel, for the index.
-- params: none
select customer_id::double, kind::uinteger, columns('_rows$')::uinteger
from known_customers;
