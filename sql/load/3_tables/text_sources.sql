-- name: the interactions by the number of their customer, whose id is a text; 0
--   stands for a customer who is not known.
-- params: none
create temp view interaction_sources as
select
  file, coalesce(ids.customer_id, 0) as customer_id, channel, date_start,
  topic_set
from named_interactions left join ids on id = named_interactions.customer_id;
