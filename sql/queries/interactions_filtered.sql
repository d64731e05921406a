-- name: customers by channels, of the interactions that meet filters, in pages.
-- params: customer_ids, start_date, end_date, topics, channels, sort,
--   sort_channel, direction, after_value, after_id, row_limit; those of names
-- A name of '' stands for those without one. sort_channel is a name.
with filtered as (
  select customer_id, channel
  from interactions
  where ($start_date::date is null or date_start >= $start_date::date)
    and ($end_date::date is null or date_start < $end_date::date + 1)
    and ($channels::varchar[] is null
      or list_contains($channels::varchar[]::channel_name[], channel))
    and ($topics::varchar[] is null or list_contains(
      (select list(topic_set)
       from set_topics
       where list_contains($topics::varchar[], coalesce(topic, ''))),
      topic_set))),
counted as (
  select customer_id, count(*) as rows
  from filtered
  where $sort <> 'customer_id'
    and ($sort_channel::varchar is null or channel = $sort_channel::varchar)
  group by customer_id),
page as (
  select *
  from (
    select
      customer_id,
      /*record {column},*/
      $direction::bigint
        * if($sort = 'customer_id', customer_id, coalesce(rows, 0)) as rank
    from known_customers
    join kinds using (kind)
    left join counted using (customer_id)
    where ($customer_ids::bigint[] is null
        or list_contains($customer_ids::bigint[], customer_id))
    /*each and (${param}::varchar[] is null
        or list_contains(${param}::varchar[], coalesce({text}, '')))*/)
  where $after_value::bigint is null
    or rank > $after_value::bigint
    or (rank = $after_value::bigint and customer_id > $after_id::bigint)
  order by rank, customer_id
  limit $row_limit::bigint),
wide as (
  pivot (
    select customer_id, channel from page join filtered using (customer_id)
    union all
    select customer_id, null from page
  ) on channel in channel_name using count(*) as rows
  group by customer_id)
select
  customer_id,
  /*record {shown},*/
  columns('_rows$')
from page join wide using (customer_id)
order by rank, customer_id;
