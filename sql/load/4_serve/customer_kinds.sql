-- name: every pair of occupation and type that a customer's record has.
-- params: most_rolled_up
-- A kind is a number for the names of a pair; kind 0 has no record. A rolled
-- kind leaves the occupation out where there are too many of them.
create table kind_spellings as
with pairs as (
  select distinct
    coalesce(occupation, '') as own_occupation, coalesce(type, '') as own_type
  from customers),
named as (
  select
    own_occupation,
    own_type,
    occupation,
    replace(nullif(own_type, ''), chr(0), chr(65533))::type_name as type,
    case
      when (select count(distinct occupation) from occupation_spellings)
        <= $most_rolled_up
        then occupation
    end as rolled_up
  from pairs left join occupation_spellings on spelling = own_occupation)
select
  *,
  (dense_rank() over (order by occupation, type))::integer as kind,
  (dense_rank() over (order by rolled_up, type))::integer as rolled_kind
from named;
