-- name: fills the daily rollup from the interactions of a version.
-- params: none
insert into daily
select
  day,
  channel,
  topic_set,
  /*rolled_up {column},*/
  count() as rows
from interactions left join kinds using (kind)
group by /*rolled_up {column},*/ day, channel, topic_set
