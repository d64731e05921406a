-- name: stages the rows of one file of customers.
-- params: file
insert into staged_customers
select
  $file,
  id,
  text_value(occupation),
  text_value(type),
  -- NA, a region to some, has no value.
  case when trim(type) = 'NA' then true end,
  label,
  case
    when cell_problem is not null then problem_fault(cell_problem)
    when extra is not null
      then as_fault('row', extra, 'more cells than the header')
    when id is null
      then as_fault(
        'customer_id', coalesce(customer_id, customer_id_value::varchar),
        case
          when text_value(customer_id) is null and customer_id_value is null
            then 'no value'
          else id_reason(
            coalesce(plain_text(customer_id), customer_id_value::varchar))
        end)
    when is_error(occupation)
      then as_fault('occupation', occupation, error_reason())
    when is_error(type)
      then as_fault('type', type, error_reason())
    -- Certain only where the file has other columns, empty in this row.
    when is_summary(label)
      and has_no_value(occupation) and has_no_value(type)
      and has_optional
      then as_fault('row', label, 'a summary row')
  end
from (
  select
    *,
    case
      when customer_id_value is not null then in_id_range(customer_id_value)
      when number::varchar = customer_id then in_id_range(number)
      else parse_id(plain_text(customer_id))
    end as id
  from (select *, try_cast(customer_id as ubigint) as number from source));
