-- name: how many rows of each file are kept.
-- params: none
select file, count(*) as rows
from (
  select file from staged_channels where reject is null
  union all
  select file from staged_products where reject is null
  union all
  select file from staged_customers where reject is null
  union all
  select file from staged_interactions where reject is null)
group by file;
