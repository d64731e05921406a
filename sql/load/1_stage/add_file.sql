-- name: notes a file to load; of one source, those that may merge can overlap.
-- params: file, source, merges, first_row
insert into files values ($file, $source, $merges, $first_row);
