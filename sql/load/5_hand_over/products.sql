-- name: the products of each month, a row for each row kept.
-- params: none
select month::date as month, product from products
