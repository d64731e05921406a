-- name: interactions of one customer per channel; no row for an unknown one.
-- params: customer_id, start_date, end_date, topic_code
pivot (
  select customer_id, channel
  from interactions
  where customer_id = $customer_id
    and ($start_date::date is null or date_start >= $start_date::date)
    and ($end_date::date is null or date_start < $end_date::date + 1)
    and ($topic_code::integer is null or topic_set in (
      select topic_set from topic_sets
      where list_contains(topic_codes, $topic_code::integer)))
  union all
  select customer_id, null
  from customer_channels
  where customer_id = $customer_id
) on channel in channel_name using count(*) as rows
group by customer_id;
