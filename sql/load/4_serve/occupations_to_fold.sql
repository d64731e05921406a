-- name: every occupation with other characters than ASCII, whose key DuckDB
--   cannot compute, that has none yet.
-- params: none
select distinct occupation as name
from customers
where strlen(occupation) <> length(occupation)
  and occupation not in (select of_name from name_keys);
