-- name: interactions of one customer per channel; no row for an unknown one.
-- params: customer_id, start_date, end_date, topics
-- A name of '' stands for those without one.
pivot (
  select customer_id, channel
  from interactions
  where customer_id = $customer_id
    and ($start_date::date is null or date_start >= $start_date::date)
    and ($end_date::date is null or date_start < $end_date::date + 1)
    and ($topics::varchar[] is null or list_contains(
      (select list(topic_set)
       from set_topics
       where list_contains($topics::varchar[], coalesce(topic, ''))),
      topic_set))
  union all
  select customer_id, null
  from customer_channels
  where customer_id = $customer_id
) on channel in channel_name using count(*) as rows
group by customer_id;
