-- name: notes a file to load; a part of a folder is never merged with others.
-- params: file, part, first_row
insert into files values ($file, $part, $first_row);
