-- name: every pair of occupation and type, as customers have it and by name.
-- params: most_rolled_up
-- A kind is a number for the pair, by which interactions are counted in a third
-- of the time; it leaves out the occupations where there are too many of them.
create table customer_kinds as
with pairs as (
  select distinct
    coalesce(occupation, '') as own_occupation, coalesce(type, '') as own_type
  from customers
  union
  select '', ''),
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
  (dense_rank() over (order by rolled_up, type))::integer as kind
from named;
