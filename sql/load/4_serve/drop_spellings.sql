-- name: drops what only the tables for questions are made of.
-- params: none
drop table kind_spellings;
/*each drop table {column}_spellings;*/
