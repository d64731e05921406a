-- name: how many rows of each file were set aside for each reason.
-- params: none
select file, column_name, reason, count(*) as rows
from set_aside
group by file, column_name, reason
order by file, rows desc, column_name, reason;
