-- name: what records say of the kinds of customers: the places of names, from
--   1, with 0 for none, and the names, with the empty text for none.
-- params: none
select
  kind::uinteger as kind,
  has_record,
  /*searched coalesce({column}_key, '') as {column}_key,*/
  /*each [,] if({column} is null, 0,
    dense_rank() over (order by {text} nulls last))::uinteger as {column},
    coalesce({text}, '') as {column}_name*/
from kinds
