-- name: the names that customers have, and the range of days.
-- params: none
select
  /*each [,] (select list(name order by name) from (
    select distinct {text} as name
    from kinds
    where {column} is not null
    limit {most} + 1)) as {column}*/,
  (select strftime(min(date_start), '%Y-%m-%d') from interactions) as first,
  (select strftime(max(date_start), '%Y-%m-%d') from interactions) as last;
