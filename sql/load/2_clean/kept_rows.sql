-- name: the rows of interactions that have nothing rare, and the others; those
--   that are not set aside, and how many of them there are.
-- params: none
-- Apart, because whole blocks of rows have nothing rare, and are read without.
create temp view common_rows as
select file, date_start, date_form, spelling, customer_id
from staged_interactions
where rare is null;

-- Unnested, so that no filter of what is in it comes before that of blocks.
create temp view unusual_rows as
select
  rowid as position, file, date_start, date_form, spelling, customer_id,
  unnest(rare) as rare
from staged_interactions
where rare is not null;

create temp view rare_rows as
select
  * exclude (rare),
  rare.customer_ids as customer_ids,
  rare.texts as texts,
  rare.activity as activity,
  rare.times as times,
  rare.times * coalesce(len(rare.customer_ids), 1) as interactions
from unusual_rows
where rare.fault is null;

create temp view kept_rows as
from common_rows
union all
select file, date_start, date_form, spelling, customer_id
from rare_rows;

-- Counted once for all who ask. Decisive are those of D/M/YYYY that fit only
-- the order that is set.
create temp table row_counts as
select
  file,
  date_form,
  spelling,
  count(*) as rows,
  count(*) filter (fits_only_this(date_form, date_start)) as decisive
from kept_rows
group by file, date_form, spelling;
