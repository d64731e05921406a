-- name: from which moment on how many seconds make a time of one zone that of
--   TIME_ZONE; the first of them holds from the beginning.
-- params: none; the variables settings and zone
-- Days whose ends differ are looked at by hours, these by minutes, and these by
-- seconds: all seconds of the years are too many to convert. They differ in the
-- offset of either zone, since two changes at once may make one shift: in the
-- hour that both zones skip it is another one.
create or replace temp macro offsets_at(moment) as
  list_transform(
    [timezone(getvariable('zone'), moment)],
    lambda instant: [
      epoch(moment) - epoch(instant),
      epoch(timezone(getvariable('settings').time_zone, instant))
        - epoch(instant)])[1];
with days as (
  select moment, offsets_at(moment) as offsets
  from (
    select unnest(generate_series(
      timestamp '1899-12-31', timestamp '2079-01-02', interval 1 day))
      as moment)),
hours as (
  select moment, offsets_at(moment) as offsets
  from (
    select unnest(generate_series(
      moment, moment + interval 1 day, interval 1 hour)) as moment
    from days
    qualify offsets <> lead(offsets) over (order by moment))),
minutes as (
  select moment, offsets_at(moment) as offsets
  from (
    select unnest(generate_series(
      moment, moment + interval 1 hour, interval 1 minute)) as moment
    from hours
    qualify offsets <> lead(offsets) over (order by moment))),
seconds as (
  select moment, offsets_at(moment) as offsets
  from (
    select unnest(generate_series(
      moment, moment + interval 1 minute, interval 1 second)) as moment
    from minutes
    qualify offsets <> lead(offsets) over (order by moment))),
known as (
  select moment, offsets[2] - offsets[1] as shift
  from (
    from seconds
    union
    (from days order by moment limit 1)))
select moment::varchar as moment, shift::bigint as shift
from known
qualify shift is distinct from lag(shift) over (order by moment)
order by moment;
