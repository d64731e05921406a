-- name: how many rows of each file are kept.
-- params: none
select file, count(*) as rows
from (
  select file from staged_channels where fault is null
  union all
  select file from staged_products where fault is null
  union all
  select file from staged_customers where fault is null)
group by file
union all
select file, sum(rows)::bigint
from row_counts
group by file;
