-- name: the first rows set aside, in the order of files and lines.
-- params: rejects_kept
select file, line, column_name, value, reason
from set_aside
order by file, line
limit $rejects_kept;
