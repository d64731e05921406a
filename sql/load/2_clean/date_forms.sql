-- name: in how many rows of each file, kept or not, a time is written in which
--   form, and how many of D/M/YYYY fit only the order that is set.
-- params: none
select
  file, if(is_slash_form(date_form), 1, date_form) as date_form, kept,
  sum(rows)::bigint as rows, sum(decisive)::bigint as decisive
from (
  select file, date_form, true as kept, rows, decisive
  from row_counts
  union all
  select
    file,
    date_form,
    false,
    count(*),
    count(*) filter (fits_only_this(date_form, date_start))
  from unusual_rows
  where len(rare.fault) > 0
  group by file, date_form
  union all
  select
    file,
    date_form,
    fault is null,
    count(*),
    count(*) filter (day > 12 or date_form = 12 and month is not null)
  from staged_products
  group by file, date_form, fault is null) as counted
group by all
order by file, rows desc, date_form, kept;
