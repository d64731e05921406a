-- name: every combination of names that a customer's record has.
-- params: none
-- A kind is a number for the names of a record; kind 0 has no record. A rolled
-- kind is one for those of them by which interactions are counted per day.
create table kind_spellings as
with records as (
  select distinct
    /*record [,] coalesce({column}, '') as own_{column}*/
  from customers),
named as (
  select
    records.*,
    /*record [,] {column}_spellings.name as {column}*/
  from records
  /*record left join {column}_spellings
      on {column}_spellings.spelling = own_{column}*/)
select
  *,
  (dense_rank() over (order by /*record [,] {column}*/))::integer as kind,
  (dense_rank() over (
    order by /*daily_by_record {column},*/ true))::integer as rolled_kind
from named;
