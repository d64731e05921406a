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
select spelling, channel::channel_name as channel
from channel_spellings join channel_keys using (key);

create temp view interaction_sources as
with one_each as (
  select file, date_start, interaction, topic, customer_id
  from staged_interactions
  where reject is null and customer_id is not null
  union all
  select file, date_start, interaction, topic, unnest(customer_ids)
  from staged_interactions
  where reject is null and customer_ids is not null)
select
  one_each.file,
  one_each.customer_id,
  spelled_channels.channel,
  one_each.date_start,
  case
    when cell_topic_sets.topic_set is not null then cell_topic_sets.topic_set
    when month_topic_sets.topic_set is not null then month_topic_sets.topic_set
    else 0
  end::usmallint as topic_set
from one_each
join spelled_channels on spelled_channels.spelling = one_each.interaction
left join cell_topic_sets on cell_topic_sets.cell = one_each.topic
left join month_topic_sets
  on month_number = year(date_start) * 12 + month(date_start);
