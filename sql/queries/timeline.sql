-- name: interactions of one customer a period and channel; silent periods too.
-- params: customer_id, period_length, start_date, end_date, topics, channels,
--   row_limit
-- A name of '' stands for those without one.
with own as (
  select date_start::date as day, channel
  from interactions
  where customer_id = $customer_id::bigint
    and ($start_date::date is null or date_start >= $start_date::date)
    and ($end_date::date is null or date_start < $end_date::date + 1)
    and ($channels::varchar[] is null
      or list_contains($channels::varchar[]::channel_name[], channel))
    and ($topics::varchar[] is null or list_contains(
      (select list(topic_set)
       from set_topics
       where list_contains($topics::varchar[], coalesce(topic, ''))),
      topic_set))),
span as (
  select
    case
      when $start_date::date is null then min(day)
      else greatest($start_date::date, date '1900-01-01')
    end as first,
    case
      when $end_date::date is null then max(day)
      else least($end_date::date, date '2078-12-31')
    end as last
  from own),
periods as (
  select unnest(generate_series(
    date_trunc($period_length, first), last,
    ('1 ' || $period_length)::interval))::date as first_day
  from span
  limit $row_limit::bigint),
wide as (
  pivot (
    select date_trunc($period_length, day)::date as first_day, channel from own
    union all
    select first_day, null from periods
  ) on channel in channel_name using count(*) as rows
  group by first_day)
select
  case $period_length
    when 'day' then strftime(first_day, '%Y-%m-%d')
    when 'week' then strftime(first_day, '%G-W%V')
    when 'month' then strftime(first_day, '%Y-%m')
    when 'quarter' then strftime(first_day, '%Y-Q') || quarter(first_day)
    else strftime(first_day, '%Y')
  end as period,
  columns('_rows$')
from wide
order by first_day
limit $row_limit::bigint;
