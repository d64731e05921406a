-- name: the totals of a load that are not about interactions.
-- params: none
-- Apart from interaction_totals.sql: DuckDB looks for the best order to join
-- subqueries of one value, and takes 15 ms where they are eight.
select
  (select count(*) from customers) as customer_records,
  (select count(*) from repeated_customers where conflicting)
    as conflicting_customers,
  (select count(*) from staged_products where fault is null) as products,
  count(*) as customers,
  min(customer_id) as first_customer_id
from customer_channels;
