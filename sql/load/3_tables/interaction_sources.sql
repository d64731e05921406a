-- name: the interactions, one a customer, with channel and topics resolved.
-- params: none
-- An ENUM needs a value; where nothing names a channel, an empty name stands
-- in, which no channel can have.
create type channel_name as enum (
  select channel from channels
  union all
  select '' where (select count(*) from channels) = 0
  order by channel);

create table spelled_channels as
select
  spelling,
  list_position(getvariable('spellings')::varchar[], spelling)::utinyint
    as position,
  channel::channel_name as channel
from (select spelling, name_key(name) as key from channel_spellings)
join channel_keys using (key);

-- Rows of several customers, of a spelling that is not listed or with topics of
-- their own. In a table, so that the sort knows how small its numbers are.
create table uncommon_interactions as
select
  file,
  customer_id,
  channel,
  date_start,
  case
    when cell_topic_sets.topic_set is not null then cell_topic_sets.topic_set
    else month_topic_sets.topic_set
  end as topic_set
from (
  select
    file,
    date_start,
    case
      when spelling is null then texts[1]
      else getvariable('spellings')[spelling]
    end as spelling,
    texts[2] as topic,
    unnest(case
      when customer_ids is null then [customer_id] else customer_ids
    end) as customer_id
  from rare_interactions
  where texts is not null or customer_ids is not null)
join spelled_channels using (spelling)
join month_topic_sets
  on month_number = year(date_start) * 12 + month(date_start)
left join cell_topic_sets on cell = topic;

create temp view named_interactions as
select file, customer_id, channel, date_start, topic_set
from (
  select file, customer_id, date_start, spelling from common_rows
  union all
  select file, customer_id, date_start, spelling
  from rare_interactions
  where texts is null and customer_ids is null) as listed
join spelled_channels on position = listed.spelling
join month_topic_sets
  on month_number = year(date_start) * 12 + month(date_start)
union all
from uncommon_interactions;
