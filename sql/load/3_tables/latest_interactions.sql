-- name: the rows of interactions that count and have something rare: of those
--   with one id, the last.
-- params: none
-- A row that is passed over replaces earlier ones too: it may say that the
-- interaction is deleted.
create table superseded as
select position, file, interactions
from rare_rows join (
  select rare[1].activity as activity, max(rowid) as last
  from staged_interactions
  where rare[1].activity is not null and coalesce(len(rare[1].fault), 0) = 0
  group by rare[1].activity
  having count(*) > 1) as repeated using (activity)
where position <> last;

create temp view rare_interactions as
from rare_rows
where position not in (select position from superseded);
