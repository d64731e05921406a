-- name: interactions of one customer a topic and channel; null has no topic.
-- params: customer_id, start_date, end_date, topics, channels
-- A name of '' stands for those without one.
with wide as (
  pivot (
    select topic_code, topic, channel
    from interactions join set_topics using (topic_set)
    where customer_id = $customer_id::bigint
      and ($start_date::date is null or date_start >= $start_date::date)
      and ($end_date::date is null or date_start < $end_date::date + 1)
      and ($channels::varchar[] is null
        or list_contains($channels::varchar[]::channel_name[], channel))
      and ($topics::varchar[] is null
        or list_contains($topics::varchar[], coalesce(topic, '')))
  ) on channel in channel_name using count(*) as rows
  group by topic_code, topic)
select topic, columns('_rows$')
from wide
order by topic_code nulls last;
