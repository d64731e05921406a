-- name: stages the rows of one file of interactions.
-- params: none; the variable file
insert into staged_interactions
select
  getvariable('file'),
  moment,
  form,
  spelling,
  id,
  case
    when ids is not null or texts is not null or activity is not null
      or times is distinct from 1 or fault is not null
      then [struct_pack(
        customer_ids := ids, texts := texts, activity := activity,
        times := times, fault := fault)]
  end
from (
  -- Each level uses the one below, so that no rule runs twice on a row.
  select
    *,
    case
      when reads_time then read_form
      when date_start_value is not null then 0
      when fast_moment is not null then fast_form(date_start)
      else time_form(date_text)
    end as form,
    case
      when spelling is null or topic <> ''
        then [case when spelling is null then interaction end, topic]
    end as texts,
    case
      when passed_over then []
      when cell_problem is not null then problem_fault(cell_problem)
      when extra is not null
        then as_fault('row', extra, 'more cells than the header')
      when moment is null
        then as_fault(
          'date_start', date_start,
          case
            when reads_time then time_problem
            else time_reason(date_text, 'a date or time')
          end)
      when not in_calendar(moment)
        then as_fault(
          'date_start', coalesce(date_start, date_start_value::varchar),
          'outside 1900-01-01 to 2078-12-31')
      when spelling is null
        and (has_no_value(interaction) or is_error(interaction))
        then as_fault(
          'interaction', interaction,
          case
            when is_error(interaction) then error_reason() else 'no value'
          end)
      when id is null and ids is null
        then as_fault(
          'customers', coalesce(customers, customers_value::varchar),
          case
            when reads_ids then ids_problem
            else ids_reason(
              case
                when customers_value is not null then customers_value::varchar
                when not has_no_value(id_text) then id_text
              end,
              decimal_commas)
          end)
      when topic <> '' and lists_error(topic)
        then as_fault('topic', topic, error_reason())
      when times is null then as_fault('count', count_cell, count_problem)
    end as fault
  from (
    select
      *,
      case
        when reads_ids then read_ids
        when id is null
          then cast_to_type(parse_ids(id_text, decimal_commas), read_ids)
      end as ids
    from (
    select
        *,
        case
          when reads_time then read_moment
          when date_start_value is not null then date_start_value
          when fast_moment is not null then fast_moment
          else parse_time(date_text)
        end as moment,
        case
          when reads_ids then read_id
          else cast_to_type(
            case
              when customers_value is not null
                then in_id_range(customers_value)
              when id_text is null then number::bigint
              else parse_id(id_text)
            end,
            read_id)
        end as id
      from (
        select
          *,
          case when fast_moment is null then text_value(date_start) end
            as date_text,
          case
            when number between 1 and 9007199254740991
              and number::varchar = customers
              then null
            else plain_text(customers)
          end as id_text
        from (
          select
            *,
            fast_time(date_start) as fast_moment,
            list_position(getvariable('spellings')::varchar[], interaction)
              as spelling,
            try_cast(customers as ubigint) as number
          from source)))));
