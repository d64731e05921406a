-- name: the types and occupations that customers have, and the range of days.
-- params: most_occupations
select
  (select list(distinct type::varchar order by type::varchar)
   from kinds where type is not null) as types,
  (select list(occupation order by occupation) from (
    select distinct occupation
    from kinds
    where occupation is not null
    limit $most_occupations + 1)) as occupations,
  (select strftime(min(date_start), '%Y-%m-%d') from interactions) as first,
  (select strftime(max(date_start), '%Y-%m-%d') from interactions) as last;
