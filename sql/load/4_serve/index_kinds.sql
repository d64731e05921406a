-- name: the kinds of customers, for the index.
-- params: none
select kind, /*each [,] {text}*/ from kinds;
