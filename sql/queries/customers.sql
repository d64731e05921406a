-- name: known customers, with first and last contact and counts per channel.
-- params: customer_ids, prefix, after_id, row_limit; those of names
-- A name of '' stands for those without one; prefix is as names are compared.
with page as (
  select *
  from known_customers join kinds using (kind)
  where ($customer_ids::bigint[] is null
      or list_contains($customer_ids::bigint[], customer_id))
    /*each and (${param}::varchar[] is null
      or list_contains(${param}::varchar[], coalesce({text}, '')))*/
    and ($prefix::varchar is null
      or starts_with(customer_id::varchar, $prefix::varchar)
      /*searched or starts_with({column}_key, $prefix::varchar)*/)
    and ($after_id::bigint is null or customer_id > $after_id::bigint)
  order by customer_id
  limit $row_limit::bigint),
contacts as (
  select customer_id, min(date_start) as first, max(date_start) as last
  from interactions
  where customer_id in (select customer_id from page)
  group by customer_id)
select
  customer_id,
  /*record {shown},*/
  if(has_record, 'customers', 'interactions') as known_from,
  strftime(first, '%Y-%m-%d') as first_contact,
  strftime(last, '%Y-%m-%d') as last_contact,
  columns('_rows$')
from page left join contacts using (customer_id)
order by customer_id;
