-- name: how many names each dimension of customers has; one too many suffices.
-- params: none
select
  /*each [,] (select count(*) from (
    select distinct name from {column}_spellings
    limit {most} + 1)) as {column}*/;
