-- name: in how many kept rows of each file what is written may not be meant:
--   times that stand for none, and NA as a type.
-- params: none
-- The first comparison skips whole blocks of rows.
select
  file,
  sum(sentinel_times)::bigint as sentinel_times,
  sum(na_types)::bigint as na_types
from (
  select file, count(*) as sentinel_times, 0 as na_types
  from kept_rows
  where date_start < timestamp '1970-01-03'
    and (date_start = timestamp '1900-01-01'
      or date_start = timestamp '1970-01-01'
      or date_start = timezone(
        getvariable('settings').time_zone,
        timestamptz '1900-01-01 00:00:00+00')
      or date_start = timezone(
        getvariable('settings').time_zone,
        timestamptz '1970-01-01 00:00:00+00'))
  group by file
  union all
  select file, count(*), 0
  from staged_products
  where month in (date '1900-01-01', date '1970-01-01') and fault is null
  group by file
  union all
  select file, 0, count(*)
  from staged_customers
  where is_na and fault is null
  group by file)
group by file;
