-- name: how many rows of each file are passed over, as tally.toml says.
-- params: none
select file, count(*) as rows
from (
  select file, fault from staged_channels
  union all
  select file, fault from staged_products
  union all
  select file, fault from staged_customers
  union all
  select file, rare[1].fault from staged_interactions
  where rare is not null)
where fault is not null and len(fault) = 0
group by file;
