-- name: how many interactions of each file a later row with the same id
--   replaces.
-- params: none
select file, sum(interactions)::bigint as interactions
from superseded
group by file
order by file;
