-- name: what the cleaning rules depend on; strptime wants constant formats.
-- params: date_order, time_zone
set variable settings = {
  slash_date: if($date_order = 'MDY', '%m/%d/%Y', '%d/%m/%Y'),
  slash_to_iso: if($date_order = 'MDY', '\3-\1-\2', '\3-\2-\1'),
  other_slash_to_iso: if($date_order = 'MDY', '\3-\2-\1', '\3-\1-\2'),
  time_zone: $time_zone};
