-- name: every known customer by every channel; silent customers and those known
--   only from interactions come in the same pass.
-- params: none
-- The alias ends every pivoted column in _rows, so that a channel named like
-- another column keeps its own. Customer 0 is nobody who is known.
create table customer_channels as
pivot (
  select customer_id, channel from interactions where customer_id > 0
  union all
  select customer_id, null from customers
) on channel in channel_name using count(*) as rows
group by customer_id
order by customer_id;
