-- name: spellings that channels.csv declares for more than one channel.
-- params: none
select key, string_agg(channel, ', ' order by channel) as channels
from channel_keys
group by key
having count(*) > 1
order by key;
