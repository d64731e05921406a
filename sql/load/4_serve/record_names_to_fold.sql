-- name: every name in a column of the records with other characters than ASCII,
--   whose key DuckDB cannot compute, that has none yet.
-- params: none
select distinct name
from (
  /*each [ union all] select {column} as name from customers*/)
where strlen(name) <> length(name)
  and name not in (select of_name from name_keys);
