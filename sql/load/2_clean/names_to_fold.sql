-- name: every name with other characters than ASCII, whose key DuckDB cannot
--   compute.
-- params: none
select distinct name
from (
  select channel as name from staged_channels
  union all
  select
    text_value(replace(unnest(string_split(aliases, ';')), chr(30), ';'))
  from staged_channels
  union all
  select name from channel_spellings
  union all
  select name from topic_cells
  union all
  select product from staged_products
  /*limited union all
  select {staged} from staged_customers*/)
where strlen(name) <> length(name);
