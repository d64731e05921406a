-- name: stages the rows of one file of channels.
-- params: file
insert into staged_channels
select
  $file,
  text_value(channel),
  text_value(aliases),
  case
    when cell_problem is not null then problem_fault(cell_problem)
    when extra is not null
      then as_fault('row', extra, 'more cells than the header')
    when text_value(channel) is null
      then as_fault('channel', channel, 'no value')
  end
from source;
