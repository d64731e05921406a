-- name: the totals of the interactions of a load.
-- params: now
select
  (select (select count(*) from common_rows) + coalesce(sum(interactions), 0)
   from rare_rows)::bigint as interaction_sources,
  (select count(*) from (
    select
      customer_id = lag(customer_id) over ()
        and channel = lag(channel) over ()
        and date_start = lag(date_start) over ()
        and topic_set = lag(topic_set) over () as repeated
    from interactions)
   where repeated) as duplicate_interactions,
  count(*) as interactions,
  strftime(min(date_start), '%Y-%m-%d') as first_day,
  strftime(max(date_start), '%Y-%m-%d') as last_day,
  strftime(max(date_start) filter (is_past), '%Y-%m-%d %H:%M:%S')
    as latest_interaction,
  count(*) filter (not is_past) as future_interactions
from (
  select
    date_start,
    date_start <= timezone(
      getvariable('settings').time_zone, $now::timestamptz) as is_past
  from interactions);
