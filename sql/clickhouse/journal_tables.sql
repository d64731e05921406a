-- name: what is common to all versions: the journal, who loads, and
--   the decisions that followers were sent.
-- params: none
-- A decision is taken up within seconds, or when the next loader that serves
-- starts.
create table if not exists journal (
  sequence UInt64,
  at DateTime64(3, 'UTC') default now64(3),
  event LowCardinality(String),
  version String,
  data_version String,
  payload String codec(ZSTD(3))
) engine = MergeTree order by sequence;

create table if not exists loaders (
  holder String,
  name String,
  ended Bool,
  at DateTime64(3, 'UTC') default now64(3)
) engine = ReplacingMergeTree(at) order by holder
ttl toDateTime(at) + interval 1 day;

create table if not exists decisions (
  id String,
  type LowCardinality(String),
  data_version String,
  at DateTime64(3, 'UTC') default now64(3)
) engine = MergeTree order by at
ttl toDateTime(at) + interval 30 day;
