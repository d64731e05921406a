-- name: the occupations and types, each under one name.
-- params: none
-- An occupation is one name whatever its case, the most frequent spelling, as
-- types are by now.
create table occupation_spellings as
with spelled as (
  select occupation as spelling, count(*) as rows
  from customers
  where occupation is not null
  group by occupation),
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
    partition by key order by rows_of_name desc, rank) as occupation
from ranked;

-- An ENUM needs a value and holds no NUL, as with channels.
create type type_name as enum (
  select replace(type, chr(0), chr(65533)) as type
  from customers
  where type is not null
  union
  select '' where (select count(type) from customers) = 0
  order by type);
