-- name: interactions per day, channel, type and topic set.
-- params: none
create table daily as
select day, channel, type, topic_set, sum(rows)::integer as rows
from daily_by_occupation
group by all
order by all;
