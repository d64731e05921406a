-- name: the number of days with interactions.
-- params: none
select count(distinct date_start::date)::double as days
from interactions;
