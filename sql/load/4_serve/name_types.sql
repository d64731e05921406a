-- name: the names in the columns of records that have few, as an ENUM each.
-- params: none
-- An ENUM needs a value and holds no NUL, as with channels.
/*pivot drop type if exists {column}_name;
create type {column}_name as enum (
  select replace(name, chr(0), chr(65533)) as name
  from {column}_spellings
  union
  select '' where (select count(*) from {column}_spellings) = 0
  order by name);
update {column}_spellings set name = replace(name, chr(0), chr(65533));
alter table {column}_spellings alter name type {column}_name;
*/
