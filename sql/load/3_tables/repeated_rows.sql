-- name: the rows of interactions that count, each as often as tally.toml says.
-- params: none
-- A join makes the copies one after the other; a list of them for each row
-- would be in memory at once.
alter view rare_interactions rename to single_interactions;

create temp view rare_interactions as
from single_interactions where times = 1
union all
select single_interactions.*
from single_interactions join (
  select unnest(range(
    1, (select max(times) + 1 from single_interactions)::bigint)) as copy)
  on copy <= times
where times > 1;
