-- name: the interactions, one a customer, with channel and topics resolved.
-- params: none
create type channel_name as enum (
  select channel from channels order by channel);

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
  channel_keys.channel::channel_name as channel,
  one_each.date_start,
  case
    when cell_topic_sets.topic_set is not null then cell_topic_sets.topic_set
    when month_topic_sets.topic_set is not null then month_topic_sets.topic_set
    else 0
  end::usmallint as topic_set
from one_each
join channel_spellings on channel_spellings.spelling = one_each.interaction
join channel_keys on channel_keys.key = channel_spellings.key
left join cell_topic_sets on cell_topic_sets.cell = one_each.topic
left join month_topic_sets
  on month_number = year(date_start) * 12 + month(date_start);
