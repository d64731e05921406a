-- name: in how many rows of each file, kept or not, a time is written in which
--   form, and how many of D/M/YYYY fit only the order that is set.
-- params: none
-- Of the two largest parts, whole blocks of rows are skipped.
select file, date_form, true as kept, count(*) as rows, 0 as decisive
from kept_rows
where date_form <> 1
group by file, date_form
union all
select file, 1, true, count(*), count(*) filter (where day(date_start) > 12)
from kept_rows
where date_form = 1
group by file
union all
select
  file,
  date_form,
  false,
  count(*),
  count(*) filter (where date_form = 1 and day(date_start) > 12)
from staged_interactions
where rare is not null and len(rare[1].fault) > 0
group by file, date_form
union all
select
  file,
  date_form,
  fault is null,
  count(*),
  count(*) filter (where date_form = 1 and day > 12)
from staged_products
group by file, date_form, fault is null
order by file, rows desc, date_form, kept;
