-- name: the number that stands for a customer's text id in a kept version.
-- params: file, id
select customer_id from read_parquet($file) where id = $id;
