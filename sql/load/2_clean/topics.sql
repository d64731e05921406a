-- name: the topics, each under its most frequent spelling; codes in name order.
-- params: none
create table topics as
with spelled as (
  select product as name, count(*) as rows
  from staged_products
  where fault is null
  group by product
  union all
  select name, rows from topic_cells where name is not null),
named as (
  select name, sum(rows) as rows
  from (select shown_name(name) as name, rows from spelled)
  group by name),
ranked as (
  select *, row_number() over (order by name) as rank from named),
chosen as (
  select key, arg_max(name, (rows, -rank)) as topic
  from (select *, name_key(name) as key from ranked)
  group by key)
select (row_number() over (order by topic) - 1)::integer as topic_code,
  topic, key
from chosen;
