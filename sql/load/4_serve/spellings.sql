-- name: what records say of customers, each under one name whatever its case,
--   the most frequent spelling.
-- params: none
/*each create table {column}_spellings as
with spelled as (
  select {column} as spelling, count(*) as rows
  from customers
  where {column} is not null
  group by {column}),
named as (
  select
    *, name_key(spelling) as key, shown_name(spelling) as name
  from spelled),
summed as (
  select *, sum(rows) over (partition by name) as rows_of_name from named),
ranked as (
  select *, row_number() over (order by name) as rank from summed)
select
  spelling,
  first_value(name) over (
    partition by key order by rows_of_name desc, rank) as name
from ranked;
*/
