-- Answers:    the dates whose interactions have changed since an instant, to be read again whole.
-- Reads:      interactions, in the interactions database.
-- Grain:      one row per UTC date of started_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (started_at at time zone 'UTC')::date as date
from interactions
where updated_at >= $since
