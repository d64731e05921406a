-- name: the tables of a version.
-- params: none
-- Codes of names are their places in code-point order: those of channels from
-- 0, the others from 1, with 0 for no name. A granule of interactions is small,
-- since a page view reads those of one customer.
create table names (
  dimension LowCardinality(String),
  code UInt32,
  name String
) engine = MergeTree order by (dimension, code);

create table set_topics (
  topic_set UInt32,
  topic UInt32
) engine = MergeTree order by (topic_set, topic);

create table kinds (
  kind UInt32,
  /*each {column} UInt32,
  {column}_name String,*/
  /*searched {column}_key String,*/
  has_record Bool
) engine = MergeTree order by kind;

create table customers (
  customer_id UInt64,
  id String,
  id_key String,
  name String,
  name_key String,
  kind UInt32,
  total UInt32,
  counts Array(UInt32),
  first_day Date32,
  last_day Date32,
  record_hash UInt64
) engine = MergeTree order by customer_id
settings index_granularity = 256;

create table interactions (
  customer_id UInt64 codec(Delta, ZSTD(1)),
  day Date32 codec(ZSTD(1)),
  channel UInt16 codec(ZSTD(1)),
  topic_set UInt32 codec(ZSTD(1)),
  kind UInt32 codec(ZSTD(1))
) engine = MergeTree order by (customer_id, day, channel)
settings index_granularity = 1024;

create table daily (
  day Date32,
  channel UInt16,
  topic_set UInt32,
  /*rolled_up {column} UInt32,*/
  rows UInt64
) engine = MergeTree order by (day, channel, topic_set);

create table products (
  month Date32,
  product String
) engine = MergeTree order by (month, product);
