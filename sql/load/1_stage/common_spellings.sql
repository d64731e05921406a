-- name: lists the spellings of channels that a file begins with.
-- params: none
-- A position stays what it is when the next file adds to the list.
set variable spellings = (
  select list_concat(
    getvariable('spellings'), list(spelling order by rows desc, spelling))[:100]
  from (
    select interaction as spelling, count(*) as rows
    from (select interaction from source limit 20_000)
    where not has_no_value(interaction) and not is_error(interaction)
      and list_position(getvariable('spellings')::varchar[], interaction)
        is null
    group by interaction));
