-- name: the rows of interactions that count, each as often as tally.toml says.
-- params: none
-- A join makes the copies one after the other; a list of them for each row
-- would be in memory at once.
alter view kept_interactions rename to kept_rows;

create temp view kept_interactions as
from kept_rows where times = 1
union all
select kept_rows.*
from kept_rows join (
  select unnest(range(1, (select max(times) + 1 from kept_rows)::bigint))
    as copy)
  on copy <= times
where times > 1;
