-- name: the interactions with the kind of their customer, a range of the rows.
-- params: none
-- Customer 0 is nobody who is known.
select
  customer_id::ubigint as customer_id,
  date_start::date as day,
  enum_code(channel)::usmallint as channel,
  topic_set::uinteger as topic_set,
  coalesce(kind, 0)::uinteger as kind
from interactions
left join (select customer_id, kind from known_customers) using (customer_id)
