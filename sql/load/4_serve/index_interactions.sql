-- name: day number and topic set of every interaction, for the index.
-- params: none
select (date_start::date - date '1900-01-01')::usmallint, topic_set
from interactions
where customer_id > 0;
