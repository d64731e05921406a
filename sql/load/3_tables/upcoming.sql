-- name: the latest interaction of each of the first 366 days with a later one.
-- params: now
select strftime(max(date_start), '%Y-%m-%d %H:%M:%S') as latest
from interactions
where date_start > timezone(
  getvariable('settings').time_zone, $now::timestamptz)
group by date_start::date
order by latest
limit 366;
