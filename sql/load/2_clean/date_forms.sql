-- name: in how many kept rows of each file a time is written in which form.
-- params: none
select file, date_form, count(*) as rows
from (
  select file, date_form from staged_interactions where fault is null
  union all
  select file, date_form from staged_products where fault is null)
group by file, date_form
order by file, rows desc, date_form;
