-- name: every row set aside; the line is the record number, the header is 1.
-- params: none
create table set_aside as
select
  file,
  position - first_row + 2 as line,
  fault[1] as column_name,
  fault[2] as value,
  fault[3] as reason
from (
  select file, rowid as position, fault from staged_channels
  where len(fault) > 0
  union all
  select file, rowid, fault from staged_products
  where len(fault) > 0
  union all
  select file, rowid, fault from staged_customers
  where len(fault) > 0
  union all
  select file, position, rare.fault from unusual_rows
  where len(rare.fault) > 0)
join files using (file);
