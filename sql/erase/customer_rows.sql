-- name: how many rows of a table in a kept version are of a customer.
-- params: file, customer_id
select count(*) as rows
from read_parquet($file)
where customer_id = $customer_id;
