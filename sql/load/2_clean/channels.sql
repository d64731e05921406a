-- name: the channels, each under one name; a declared spelling comes first.
-- params: none
create table channel_keys as
with declared as (
  select key, arg_min(name, position) as channel
  from (
    select
      name_key(channel) as key, shown_name(channel) as name,
      rowid as position
    from staged_channels
    where fault is null)
  group by key),
alias_cells as (
  select
    text_value(replace(unnest(string_split(aliases, ';')), chr(30), ';'))
      as alias,
    channel
  from staged_channels
  where fault is null),
aliases as (
  select name_key(alias) as key, name_key(channel) as channel_key
  from alias_cells
  where alias is not null),
known as (
  select key, channel from declared
  union
  select aliases.key, declared.channel
  from aliases join declared on declared.key = aliases.channel_key),
named as (
  select key, name, sum(rows) as rows
  from (
    select name_key(name) as key, shown_name(name) as name, rows
    from channel_spellings)
  group by key, name)
select key, channel from known
union all
select key, arg_max(name, (rows, -rank)) as channel
from (
  select *, row_number() over (order by name) as rank
  from named
  where key not in (select key from known))
group by key;

create table channels as
select distinct channel from channel_keys order by channel;
