-- name: drops what is built for questions, so that it is built anew.
-- params: none
drop table if exists daily;
drop table if exists daily_by_record;
drop table if exists known_customers;
drop table if exists kinds;
drop table if exists kind_spellings;
drop table if exists set_topics;
/*each drop type if exists {column}_name;*/
