-- name: the totals of a load.
-- params: now
select
  (select count(*) from customers) as customer_records,
  (select count(*) from customer_channels) as customers,
  (select count(*) from customer_channels
   where customer_id not in (select customer_id from customers))
    as orphan_customers,
  (select count(*) from repeated_customers where conflicting)
    as conflicting_customers,
  (select min(customer_id) from customer_channels) as first_customer_id,
  (select count(*) from staged_products where fault is null) as products,
  (select count(*) from interactions) as interactions,
  (select strftime(min(date_start), '%Y-%m-%d') from interactions)
    as first_day,
  (select strftime(max(date_start), '%Y-%m-%d') from interactions)
    as last_day,
  (select strftime(max(date_start), '%Y-%m-%d %H:%M:%S') from interactions
   where date_start <= timezone(
     getvariable('settings').time_zone, $now::timestamptz))
    as latest_interaction,
  (select coalesce(sum(times * case when customer_ids is null then 1
    else len(customer_ids) end), 0)::bigint
   from staged_interactions
   where fault is null) as interaction_sources,
  (select count(*) from interactions
   where date_start > timezone(
     getvariable('settings').time_zone, $now::timestamptz))
    as future_interactions,
  (select count(*) from (
    select
      customer_id = lag(customer_id) over ()
        and channel = lag(channel) over ()
        and date_start = lag(date_start) over ()
        and topic_set = lag(topic_set) over () as repeated
    from interactions)
   where repeated) as duplicate_interactions;
