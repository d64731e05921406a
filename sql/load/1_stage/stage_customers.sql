-- name: stages the rows of one file of customers.
-- params: file
insert into staged_customers
select
  $file,
  id,
  text_value(occupation),
  text_value(type),
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
          else 'not a customer id from 1 to 9007199254740991'
        end)
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
