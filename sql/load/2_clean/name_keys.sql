-- name: notes the keys of names, and how they are shown.
-- params: names, keys, shown
insert into name_keys
select unnest($names), unnest($keys), unnest($shown);
