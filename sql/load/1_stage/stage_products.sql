-- name: stages the rows of one file of products.
-- params: none; the variable file
insert into staged_products
select
  getvariable('file'),
  month,
  case
    when reads_time then read_form
    when date_value is not null then 0
    else month_form(date_text)
  end,
  product_name,
  case
    when not reads_time
      and date_value is null
      and is_slash_form(month_form(date_text))
      then day(parse_time(regexp_extract(date_text, '^[\d/]+')))
  end,
  case
    when passed_over then []
    when cell_problem is not null then problem_fault(cell_problem)
    when extra is not null
      then as_fault('row', extra, 'more cells than the header')
    when month is null
      then as_fault(
        'date', date,
        case
          when reads_time then time_problem
          else time_reason(date_text, 'a month')
        end)
    when not in_calendar(month)
      then as_fault(
        'date', coalesce(date, date_value::varchar),
        'outside 1900-01-01 to 2078-12-31')
    when product_name is null
      then as_fault('product', product, 'no value')
    when is_error(product)
      then as_fault('product', product, error_reason())
  end
from (
  select
    *,
    text_value(product) as product_name,
    case
      when reads_time then date_trunc('month', read_moment)::date
      when date_value is not null then date_trunc('month', date_value)::date
      else parse_month(date_text)
    end as month
  from (select *, text_value(date) as date_text from source));
