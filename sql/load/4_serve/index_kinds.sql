-- name: the kinds of customers, for the index.
-- params: none
select kind, occupation, type::varchar from kinds;
