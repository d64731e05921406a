-- name: the topics of each topic set; 0 stands for none, 1 for the first.
-- params: none
select
  topic_set::uinteger as topic_set,
  coalesce(topic_code + 1, 0)::uinteger as topic
from set_topics
