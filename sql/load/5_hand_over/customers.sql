-- name: every known customer, with counts per channel, and a number for its
--   record that is equal for equal records; 0 for none.
-- params: none
-- id_key and name_key are as searches compare them.
with contacts as (
  select
    customer_id,
    min(date_start)::date as first_day,
    max(date_start)::date as last_day
  from interactions
  where customer_id > 0
  group by customer_id),
records as (
  select customer_id, {name} as name, {record} as record
  from customers {ids})
select
  known_customers.customer_id::ubigint as customer_id,
  {id} as id,
  lower(upper({id})) as id_key,
  coalesce(name, '') as name,
  if(coalesce(name, '') = '', '',
    ' ' || replace(lower(upper(name)), '-', ' ')) as name_key,
  kind::uinteger as kind,
  total::uinteger as total,
  [{counts}]::uinteger[] as counts,
  coalesce(first_day, date '1900-01-01') as first_day,
  coalesce(last_day, date '1900-01-01') as last_day,
  coalesce(('0x' || substr(md5(record), 1, 15))::ubigint, 0)::ubigint
    as record_hash
from known_customers
left join contacts using (customer_id)
left join records using (customer_id) {of_ids}
order by known_customers.customer_id
