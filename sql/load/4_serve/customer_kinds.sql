-- name: every combination of names that a customer's record has.
-- params: most_rolled_up
-- A kind is a number for the names of a record; kind 0 has no record. A rolled
-- kind has type and occupation alone, and leaves the occupation out where there
-- are too many of them.
create table kind_spellings as
with records as (
  select distinct
    /*record [,] coalesce({column}, '') as own_{column}*/
  from customers),
named as (
  select
    records.*,
    /*record [,] {column}_spellings.name as {column}*/,
    case
      when (select count(distinct name) from occupation_spellings)
        <= $most_rolled_up
        then occupation_spellings.name
    end as rolled_up
  from records
  /*record left join {column}_spellings
      on {column}_spellings.spelling = own_{column}*/)
select
  *,
  (dense_rank() over (order by /*record [,] {column}*/))::integer as kind,
  (dense_rank() over (order by rolled_up, type))::integer as rolled_kind
from named;
