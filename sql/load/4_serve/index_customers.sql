-- name: every known customer with the interactions per channel, for the index.
-- params: none
select customer_id::double, columns(* exclude (customer_id))::uinteger
from customer_channels;
