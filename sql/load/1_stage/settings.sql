-- name: what the cleaning rules depend on; strptime wants constant formats.
-- params: date_order, time_zone
set variable settings = {
  slash_date: if($date_order = 'MDY', '%m/%d/%Y', '%d/%m/%Y'),
  other_slash_date: if($date_order = 'MDY', '%d/%m/%Y', '%m/%d/%Y'),
  time_zone: $time_zone};
