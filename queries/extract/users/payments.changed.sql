-- Answers:    the dates whose payments have changed since an instant, to be read again whole.
-- Reads:      payments, in the users database.
-- Grain:      one row per UTC date of paid_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (paid_at at time zone 'UTC')::date as date
from payments
where updated_at >= $since
