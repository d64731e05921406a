-- name: the tables that files are staged in; rowids count up in file order.
-- params: none
-- A column of texts costs six times as much to store as one of numbers. So the
-- spelling of an interaction's channel is a position in the variable spellings;
-- texts, mostly null, is [the spelling that is not there, topic]. A label is
-- that of a row that may sum up the others; day is that of D/M/YYYY. An empty
-- fault is that of a row that is passed over, as tally.toml says. A row stands
-- for as many interactions as times says.
create table files (
  file usmallint, source usmallint, merges boolean, first_row bigint);
create table staged_channels (
  file usmallint, channel varchar, aliases varchar, label varchar,
  fault varchar[]);
create table staged_products (
  file usmallint, month date, date_form utinyint, product varchar,
  day utinyint, fault varchar[]);
create table staged_customers (
  file usmallint, customer_id bigint, name varchar, occupation varchar,
  type varchar, attributes varchar[], is_na boolean, match_cells varchar[],
  label varchar, fault varchar[]);
create table staged_interactions (
  file usmallint, date_start timestamp, date_form utinyint, spelling utinyint,
  customer_id bigint, customer_ids bigint[], texts varchar[],
  activity uhugeint, times uinteger, fault varchar[]);
