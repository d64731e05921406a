-- name: stages the rows of one file of interactions.
-- params: file
insert into staged_interactions
select
  $file,
  moment,
  case
    when date_start_value is not null then 0
    else time_form(date_start)
  end,
  spelling,
  id,
  ids,
  case
    when spelling is null or topic <> ''
      then [case when spelling is null then interaction end, topic]
  end,
  case
    when cell_problem is not null then problem_fault(cell_problem)
    when extra is not null
      then as_fault('row', extra, 'more cells than the header')
    when moment is null
      then as_fault(
        'date_start', date_start, time_reason(date_start, 'a date or time'))
    when not in_calendar(moment)
      then as_fault(
        'date_start', coalesce(date_start, date_start_value::varchar),
        'outside 1900-01-01 to 2078-12-31')
    when spelling is null and has_no_value(interaction)
      then as_fault('interaction', interaction, 'no value')
    when id is null and ids is null
      then as_fault(
        'customers', coalesce(customers, customers_value::varchar),
        ids_reason(coalesce(
          plain_text(text_value(customers)), customers_value::varchar)))
  end
from (
  -- Each level uses the one below, so that no rule runs twice on a row.
  select
    *,
    case when id is null then parse_ids(plain_text(customers)) end as ids
  from (
    select
      *,
      case
        when date_start_value is not null then date_start_value
        when fast_moment is not null then fast_moment
        else parse_time(text_value(date_start))
      end as moment,
      case
        when customers_value is not null then in_id_range(customers_value)
        when number::varchar = customers then in_id_range(number)
        else parse_id(plain_text(customers))
      end as id
    from (
      select
        *,
        fast_time(date_start) as fast_moment,
        list_position(getvariable('spellings')::varchar[], interaction)
          as spelling,
        try_cast(customers as ubigint) as number
      from source)));
