-- name: every customer_id that is a text, in the order of its number.
-- params: none
select id from ids order by customer_id;
