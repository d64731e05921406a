-- name: the span in which top-level exports of interactions overlap, if any;
--   those of one source.
-- params: none
with spans as (
  select file, source, min(date_start) as first, max(date_start) as last
  from kept_rows join files using (file)
  where merges
  group by file, source)
select
  min(greatest(a.first, b.first))::varchar as first,
  max(least(a.last, b.last))::varchar as last
from spans as a join spans as b
  on a.source = b.source and a.file < b.file
  and a.first <= b.last and b.first <= a.last;
