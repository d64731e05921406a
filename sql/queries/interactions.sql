-- name: customers by channels, of all their interactions, in pages.
-- params: customer_ids, sort, sort_channel, direction, after_value, after_id,
--   row_limit; those of names
-- A name of '' stands for those without one. sort_channel is a position.
with page as (
  select customer_id, rank
  from (
    select
      customer_id,
      $direction::bigint * case $sort
        when 'customer_id' then customer_id
        when 'total' then total
        else list_extract(
          list_value(*columns('_rows$')), $sort_channel::integer)
      end as rank
    from known_customers join kinds using (kind)
    where ($customer_ids::bigint[] is null
        or list_contains($customer_ids::bigint[], customer_id))
    /*each and (${param}::varchar[] is null
        or list_contains(${param}::varchar[], coalesce({text}, '')))*/)
  where $after_value::bigint is null
    or rank > $after_value::bigint
    or (rank = $after_value::bigint and customer_id > $after_id::bigint)
  order by rank, customer_id
  limit $row_limit::bigint)
select
  customer_id,
  /*record {shown},*/
  columns('_rows$')
from page
join known_customers using (customer_id)
join kinds using (kind)
order by rank, customer_id;
