-- name: a number for each product of a month, ascending, equal for equal rows.
-- params: none
select (hash(month, product) >> 11)::double as row_hash
from products
order by row_hash;
