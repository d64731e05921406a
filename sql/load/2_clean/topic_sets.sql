-- name: the sets of topics that interactions have, by month or by own cell.
-- params: none
create table month_sets as
select month, list_sort(list_distinct(list(topic_code))) as topic_codes
from staged_products join topics on topics.key = name_key(product)
where fault is null
group by month;

create table cell_sets as
select cell, list_sort(list_distinct(list(topic_code))) as topic_codes
from topic_cells join topics on topics.key = name_key(name)
group by cell;

-- Set 0 is the empty one.
create table topic_sets as
select
  (row_number() over (order by topic_codes) - 1)::integer as topic_set,
  topic_codes
from (
  select []::integer[] as topic_codes
  union select topic_codes from month_sets
  union select topic_codes from cell_sets);

-- Every month, as a number: 10 M interactions find theirs by an integer.
create table month_topic_sets as
select month_number, coalesce(topic_set, 0)::usmallint as topic_set
from range(1900 * 12 + 1, 2079 * 12 + 1) as months(month_number)
left join (
  select year(month) * 12 + month(month) as month_number, topic_set
  from month_sets join topic_sets using (topic_codes)) using (month_number);

create table cell_topic_sets as
select cell, topic_set::usmallint as topic_set
from cell_sets join topic_sets using (topic_codes);
