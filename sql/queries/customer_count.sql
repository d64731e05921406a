-- name: how many customers are known, or how many only from interactions.
-- params: by_type, by_occupation, occupation_first, without_record, types,
--   occupations, customer_ids
-- A name of '' stands for those without one. No row when there are none.
with groups as (
  select
    case when $by_type then type::varchar end as type,
    case when $by_occupation then occupation end as occupation,
    count(*) as customers
  from known_customers join kinds using (kind)
  where not ($without_record and has_record)
    and ($types::varchar[] is null
      or list_contains($types::varchar[], coalesce(type::varchar, '')))
    and ($occupations::varchar[] is null
      or list_contains($occupations::varchar[], coalesce(occupation, '')))
    and ($customer_ids::bigint[] is null
      or list_contains($customer_ids::bigint[], customer_id))
  group by all)
select type, occupation, customers
from groups
order by
  if($occupation_first, occupation, null) nulls last,
  type nulls last,
  occupation nulls last;
