-- name: the rows of interactions that count.
-- params: none
create temp view kept_interactions as
from staged_interactions
where fault is null;
