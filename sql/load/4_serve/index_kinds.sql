-- name: what records say of the kinds of customers, for the index.
-- params: none
select /*each [,] {text}*/
from kinds
order by kind;
