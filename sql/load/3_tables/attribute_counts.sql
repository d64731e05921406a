-- name: how many different names each attribute of customers has.
-- params: none
select
  /*attribute [,] count(distinct name_key({column}))::integer as {column}*/
from customers;
