-- name: every row set aside; the line is the record number, the header is 1.
-- params: none
create table set_aside as
select
  file,
  position - first_row + 2 as line,
  reject[1] as column_name,
  reject[2] as value,
  reject[3] as reason
from (
  select file, rowid as position, reject from staged_channels
  where reject is not null
  union all
  select file, rowid, reject from staged_products
  where reject is not null
  union all
  select file, rowid, reject from staged_customers
  where reject is not null
  union all
  select file, rowid, reject from staged_interactions
  where reject is not null)
join files using (file);
