-- name: how many names there are in each column of the records.
-- params: none
select
  /*each [,] (select count(distinct name)::integer from {column}_spellings)
    as {column}*/;
