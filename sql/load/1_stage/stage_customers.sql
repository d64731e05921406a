-- name: stages the rows of one file of customers.
-- params: none; the variable file
insert into staged_customers
select
  getvariable('file'),
  id,
  text_value(name),
  occupation_name,
  type_name,
  attributes,
  -- NA, a region to some, has no value.
  case when type_name is null and trim(type) = 'NA' then true end,
  match_cells,
  label,
  case
    when passed_over then []
    when cell_problem is not null then problem_fault(cell_problem)
    when extra is not null
      then as_fault('row', extra, 'more cells than the header')
    when id is null
      then as_fault(
        'customer_id', coalesce(customer_id, customer_id_value::varchar),
        case
          when reads_ids then ids_problem
          when customer_id_value is null and has_no_value(customer_id)
            then 'no value'
          else id_reason(coalesce(id_text, customer_id_value::varchar))
        end)
    when is_error(name) then as_fault('name', name, error_reason())
    when is_error(occupation)
      then as_fault('occupation', occupation, error_reason())
    when is_error(type)
      then as_fault('type', type, error_reason())
    when attribute_error is not null
      then as_fault(attribute_error[1], attribute_error[2], error_reason())
    -- Certain only where the file has other columns, empty in this row.
    when is_summary(label)
      and occupation_name is null and type_name is null
      and text_value(name) is null
      and coalesce(list_count(attributes), 0) = 0
      and coalesce(
        list_bool_and(list_transform(
          match_cells, lambda cell: has_no_value(cell))), true)
      and has_other
      then as_fault('row', label, 'a summary row')
  end
from (
  -- Each level uses the one below, so that no rule runs twice on a row.
  select
    *,
    case
      when reads_ids then read_id
      else cast_to_type(
        case
          when customer_id_value is not null
            then in_id_range(customer_id_value)
          when id_text is null then in_id_range(number)
          else parse_id(id_text)
        end,
        read_id)
    end as id
  from (
    select
      *,
      text_value(occupation) as occupation_name,
      text_value(type) as type_name,
      case when number::varchar is distinct from customer_id
        then plain_text(customer_id)
      end as id_text
    from (select *, try_cast(customer_id as ubigint) as number from source)));
