-- name: the interactions by the number of their customer, which is the id.
-- params: none
create temp view interaction_sources as
from named_interactions;
