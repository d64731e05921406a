-- name: the months with interactions that have no topic, as year * 12 + month.
-- params: none
select distinct year(date_start) * 12 + month(date_start) as month_number
from interactions
where topic_set = 0
order by month_number;
