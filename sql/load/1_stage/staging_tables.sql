-- name: the tables that files are staged in; rowids count up in file order.
-- params: none
-- A label is that of a row that may sum up the others; day is that of D/M/YYYY.
-- An empty fault is that of a row that is passed over, as tally.toml says.
-- Of interactions there are many. A column of texts costs six times as much to
-- store as one of numbers: so the spelling of a channel is a position in the
-- variable spellings. A column that is null costs as much as one of numbers: so
-- what few rows have is in one, rare, which is null or a list of one. There,
-- texts is [the spelling that is not listed, topic], and a row stands for as
-- many interactions as times says; without it, for one.
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
  customer_id bigint,
  rare struct(
    customer_ids bigint[], texts varchar[], activity uhugeint, times uinteger,
    fault varchar[])[]);
