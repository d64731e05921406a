-- name: how many interactions the rows of each file stand for that has a count.
-- params: none
select file, sum(interactions)::bigint as interactions
from (
  select file, 1 as interactions from common_rows
  union all
  select file, interactions from rare_rows)
where file in (select file from rare_rows where times > 1)
group by file
order by interactions desc, file;
