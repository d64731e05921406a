-- name: the names that customers have.
-- params: none
select
  /*each [,] (select list(name order by name) from (
    select distinct {text} as name
    from kinds
    where {column} is not null
    limit {most} + 1)) as {column}*/;
