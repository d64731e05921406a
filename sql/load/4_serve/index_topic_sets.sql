-- name: the topics of every topic set, for the index.
-- params: none
select topic_codes from topic_sets order by topic_set;
