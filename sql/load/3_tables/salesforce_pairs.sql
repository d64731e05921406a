-- name: how many ids are there both with 15 and with the 18 characters that
--   Salesforce has for one record.
-- params: none
select count(*) as pairs
from (
  select id || salesforce_checksum(id) as long_id
  from ids
  where regexp_full_match(id, '[0-9A-Za-z]{15}'))
where long_id in (select id from ids);
