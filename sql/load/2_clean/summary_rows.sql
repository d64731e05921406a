-- name: the kept rows whose label, in a column that is not used, is one of a
--   row that sums up others.
-- params: none
select file, position - first_row + 2 as line
from (
  select file, rowid as position
  from staged_customers
  where label is not null and fault is null
  union all
  select file, rowid
  from staged_channels
  where label is not null and fault is null)
join files using (file)
order by file, line;
