-- name: the rules for names, some of which have other characters than ASCII.
-- params: none
create or replace temp macro name_key(name) as
  coalesce(
    (select its_key from name_keys where of_name = name), lower(name));
create or replace temp macro shown_name(name) as
  coalesce((select its_shown from name_keys where of_name = name), name);
