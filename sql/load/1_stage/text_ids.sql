-- name: makes the staged ids texts, before there are any.
-- params: none
alter table staged_customers alter customer_id type varchar;
alter table staged_interactions alter customer_id type varchar;
alter table staged_interactions alter rare type struct(
  customer_ids varchar[], texts varchar[], activity uhugeint, times uinteger,
  fault varchar[])[];
