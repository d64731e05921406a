-- name: the rows of interactions that count and have something rare.
-- params: none
create temp view rare_interactions as
from rare_rows;
