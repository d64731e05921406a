-- name: how many customers are known, or how many only from interactions.
-- params: without_record, customer_ids; those of names
-- A name of '' stands for those without one. No row when there are none.
with groups as (
  select
    /*by {column},*/
    count(*) as customers
  from known_customers join kinds using (kind)
  where not ($without_record and has_record)
    /*each and (${param}::varchar[] is null
      or list_contains(${param}::varchar[], coalesce({text}, '')))*/
    and ($customer_ids::bigint[] is null
      or list_contains($customer_ids::bigint[], customer_id))
  group by all)
select
  /*by {shown},*/
  customers
from groups
where customers > 0
order by
  /*by {column} nulls last,*/
  customers;
