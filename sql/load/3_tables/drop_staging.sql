-- name: drops what only the load needs.
-- params: none
drop table if exists overlapping_copies;
drop view interaction_sources;
drop view named_interactions;
drop view rare_interactions;
drop view if exists single_interactions;
drop table row_counts;
drop view kept_rows;
drop view common_rows;
drop view rare_rows;
drop view unusual_rows;
drop table if exists superseded;
drop table if exists matched_cells;
drop table if exists match_keys;
drop view customer_records;
drop table staged_channels;
drop table staged_products;
drop table staged_customers;
drop table staged_interactions;
drop table uncommon_interactions;
drop table spelled_channels;
drop table channel_spellings;
drop table channel_keys;
drop table topic_cells;
drop table month_sets;
drop table cell_sets;
drop table month_topic_sets;
drop table cell_topic_sets;
/*limited drop table {column}_names;
drop table {column}_spellings;*/
drop table repeated_customers;
drop table set_aside;
