-- name: how many rows of a file have an id that is none, and no fault.
-- params: none; the variable file
-- DuckDB leaves out a check that is needless by the statistics in a file. Where
-- they are wrong, nothing has looked at the values.
select count(*) as rows
from (
  select file
  from staged_customers
  where fault is null and in_id_range(customer_id) is null
  union all
  select file
  from staged_interactions
  -- Zero is nobody who is known.
  where customer_id <> 0
    and in_id_range(customer_id) is null
    and (rare is null or rare[1].fault is null))
where file = getvariable('file');
