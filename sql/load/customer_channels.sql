-- name: every known customer by every channel; silent customers and those known
--   only from interactions come in the same pass.
-- params: none
create table customer_channels as
pivot (
  select customer_id, channel from interactions
  union all
  select customer_id, null from customers
) on channel in channel_name using count(*)
group by customer_id
order by customer_id;
