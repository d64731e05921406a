-- name: the span in which top-level exports of interactions overlap, if any.
-- params: none
with spans as (
  select file, min(date_start) as first, max(date_start) as last
  from staged_interactions
  where fault is null
    and file in (select file from files where not part)
  group by file)
select
  min(greatest(a.first, b.first))::varchar as first,
  max(least(a.last, b.last))::varchar as last
from spans as a join spans as b
  on a.file < b.file and a.first <= b.last and b.first <= a.last;
