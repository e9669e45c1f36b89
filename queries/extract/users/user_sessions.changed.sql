-- Answers:    the dates whose user_sessions have changed since an instant, to be read again whole.
-- Reads:      user_sessions, in the users database.
-- Grain:      one row per UTC date of started_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (started_at at time zone 'UTC')::date as date
from user_sessions
where updated_at >= $since
