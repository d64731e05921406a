-- name: how many interactions each channel has, in the order of the channels.
-- params: none
select channels.channel, coalesce(counted.interactions, 0) as interactions
from channels left join (
  select channel::varchar as channel, count(*) as interactions
  from interactions
  group by channel) as counted using (channel)
order by channels.channel;
