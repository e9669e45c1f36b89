-- Answers:    the dates whose subscriptions have changed since an instant, to be read again whole.
-- Reads:      subscriptions, in the users database.
-- Grain:      one row per UTC date of started_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (started_at at time zone 'UTC')::date as date
from subscriptions
where updated_at >= $since
