-- name: a number for each interaction of nobody who is known, ascending, equal
--   for equal channels and days.
-- params: none
select (hash(channel::varchar, date_start::date) >> 11)::double as row_hash
from interactions
where customer_id = 0
order by row_hash;
