-- name: notes a file to load; only files of one source that may merge can overlap.
-- params: file, source, merges, first_row
insert into files values ($file, $source, $merges, $first_row);
