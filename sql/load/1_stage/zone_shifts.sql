-- name: from which moment on how many seconds make a time of one zone that of
--   TIME_ZONE; the first of them holds from the beginning.
-- params: none; the variables settings and zone
-- Days whose ends differ are looked at by hours, these by minutes, and these by
-- seconds: to convert every moment would take a minute.
create or replace temp macro shift_at(moment) as
  epoch(timezone(
      getvariable('settings').time_zone, timezone(getvariable('zone'), moment)))
    - epoch(moment);
with days as (
  select moment, shift_at(moment) as shift
  from (
    select unnest(generate_series(
      timestamp '1899-12-31', timestamp '2079-01-02', interval 1 day))
      as moment)),
hours as (
  select moment, shift_at(moment) as shift
  from (
    select unnest(generate_series(
      moment, moment + interval 1 day, interval 1 hour)) as moment
    from days
    qualify shift <> lead(shift) over (order by moment))),
minutes as (
  select moment, shift_at(moment) as shift
  from (
    select unnest(generate_series(
      moment, moment + interval 1 hour, interval 1 minute)) as moment
    from hours
    qualify shift <> lead(shift) over (order by moment))),
seconds as (
  select moment, shift_at(moment) as shift
  from (
    select unnest(generate_series(
      moment, moment + interval 1 minute, interval 1 second)) as moment
    from minutes
    qualify shift <> lead(shift) over (order by moment))),
changes as (
  select moment, shift
  from seconds
  qualify shift <> lag(shift) over (order by moment)),
first_day as (select moment, shift from days order by moment limit 1)
select moment::varchar as moment, shift::bigint as shift
from (from first_day union from changes)
order by moment;
