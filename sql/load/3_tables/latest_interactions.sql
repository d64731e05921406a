-- name: the rows of interactions that count: of those with one id, the last.
-- params: none
-- A row that is passed over replaces earlier ones too: it may say that the
-- interaction is deleted.
create table superseded as
select staged_interactions.rowid as position, file,
  times * case when customer_ids is null then 1 else len(customer_ids) end
    as interactions
from staged_interactions join (
  select activity, max(rowid) as last
  from staged_interactions
  where activity is not null and (fault is null or len(fault) = 0)
  group by activity
  having count(*) > 1) as repeated using (activity)
where fault is null and staged_interactions.rowid <> last;

create temp view kept_interactions as
from staged_interactions
where fault is null and rowid not in (select position from superseded);
