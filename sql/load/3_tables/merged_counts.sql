-- name: how many interactions of each file an export before it has as well.
-- params: none
select file, count(*) as interactions
from overlapping_copies
where copy > 1
group by file
order by file;
