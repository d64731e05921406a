-- name: how many rows of each file were set aside for each reason, and the
--   first of them.
-- params: none
select
  file,
  column_name,
  reason,
  count(*) as rows,
  min(line) as line,
  arg_min(value, line) as value
from set_aside
group by file, column_name, reason
order by file, rows desc, column_name, reason;
