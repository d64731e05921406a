-- name: interactions per day, channel, type and topic set.
-- params: none
create table daily as
select day, channel, /*daily {column},*/ topic_set, sum(rows)::integer as rows
from daily_by_record
group by all
order by all;
