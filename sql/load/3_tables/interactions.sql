-- name: the interactions, sorted, where no two exports overlap.
-- params: none
create table interactions as
select customer_id, channel, date_start, topic_set
from interaction_sources
order by customer_id, channel, date_start, topic_set;
