-- name: the rows of interactions that count and have something rare: of those
--   with one id, the last.
-- params: none
-- A row that is passed over replaces earlier ones too: it may say that the
-- interaction is deleted.
create table superseded as
select position, file, interactions
from rare_rows join (
  select rare.activity as activity, max(position) as last
  from unusual_rows
  where rare.activity is not null and coalesce(len(rare.fault), 0) = 0
  group by rare.activity
  having count(*) > 1) as repeated using (activity)
where position <> last;

create temp view rare_interactions as
from rare_rows
where position not in (select position from superseded);
