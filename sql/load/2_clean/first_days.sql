-- name: the files of products whose days are all the first of a month, and
--   several months, if day and month are read the other way round.
-- params: none
select
  file,
  count(*) as rows,
  max(day) as day,
  year(arg_max(month, day)) as year
from staged_products
where day is not null and month is not null
group by file
having bool_and(month(month) = 1)
  and max(day) between 2 and 12
  and count(distinct (month, day)) > 1;
