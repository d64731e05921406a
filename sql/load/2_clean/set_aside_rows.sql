-- name: the first rows set aside, in the order of files and lines.
-- params: set_aside_kept
select file, line, column_name, value, reason
from set_aside
order by file, line
limit $set_aside_kept;
