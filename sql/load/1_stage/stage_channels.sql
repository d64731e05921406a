-- name: stages the rows of one file of channels.
-- params: none; the variable file
insert into staged_channels
select
  getvariable('file'),
  text_value(channel),
  text_value(aliases),
  label,
  case
    when passed_over then []
    when cell_problem is not null then problem_fault(cell_problem)
    when extra is not null
      then as_fault('row', extra, 'more cells than the header')
    when text_value(channel) is null
      then as_fault('channel', channel, 'no value')
    when is_error(channel)
      then as_fault('channel', channel, error_reason())
    when lists_error(aliases)
      then as_fault('aliases', aliases, error_reason())
    when is_summary(label) and has_no_value(aliases)
      and regexp_full_match(trim(channel), '\d+(\.\d+)?')
      then as_fault('row', label, 'a summary row')
  end
from source;
