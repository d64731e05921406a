-- name: the products of each month, a row for each row kept.
-- params: none
create table products as
select month, product from staged_products where fault is null;
