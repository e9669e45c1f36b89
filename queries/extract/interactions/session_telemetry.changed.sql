-- Answers:    the dates whose reports of the app have changed since an instant, to be read again whole.
-- Reads:      session_telemetry, in the interactions database.
-- Grain:      one row per UTC date of started_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (started_at at time zone 'UTC')::date as date
from session_telemetry
where updated_at >= $since
