-- name: the interactions of nobody who is known, by day, channel and topic set,
--   for the index.
-- params: none
select
  (date_start::date - date '1900-01-01')::usmallint,
  enum_code(channel)::usmallint,
  topic_set,
  count(*)::uinteger
from interactions
where customer_id = 0
group by all
order by all;
