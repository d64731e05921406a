-- name: the topics, each under its most frequent spelling; codes in name order.
-- params: none
create table topic_cells as
select cell, text_value(part) as name, rows
from (
  select cell, unnest(string_split(cell, ';')) as part, rows
  from (
    select texts[2] as cell, count(*) as rows
    from staged_interactions
    where fault is null
    group by cell)
  where text_value(cell) is not null);

create table topics as
with named as (
  select name, sum(rows) as rows
  from (
    select product as name, count(*) as rows
    from staged_products
    where fault is null
    group by product
    union all
    select name, rows from topic_cells where name is not null)
  group by name),
ranked as (
  select *, name_key(name) as key, row_number() over (order by name) as rank
  from named),
chosen as (
  select key, arg_max(name, (rows, -rank)) as topic from ranked group by key)
select (row_number() over (order by topic) - 1)::integer as topic_code,
  topic, key
from chosen;
