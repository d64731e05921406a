-- name: in how many rows of each file, kept or not, a time is written in which
--   form, and how many of D/M/YYYY fit only the order that is set.
-- params: none
select
  file, date_form, true as kept, sum(rows)::bigint as rows,
  sum(decisive)::bigint as decisive
from row_counts
group by file, date_form
union all
select
  file,
  date_form,
  false,
  count(*),
  count(*) filter (where date_form = 1 and day(date_start) > 12)
from unusual_rows
where len(rare.fault) > 0
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
