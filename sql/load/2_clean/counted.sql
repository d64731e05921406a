-- name: how many interactions the rows of each file stand for that has a count.
-- params: none
select
  file,
  sum(times * case when customer_ids is null then 1
    else len(customer_ids) end)::bigint as interactions
from staged_interactions
where fault is null
  and file in (select file from staged_interactions where times > 1)
group by file
order by interactions desc, file;
