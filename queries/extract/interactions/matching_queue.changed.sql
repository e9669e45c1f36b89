-- Answers:    the dates whose stays in the queue have changed since an instant, to be read again whole.
-- Reads:      matching_queue, in the interactions database.
-- Grain:      one row per UTC date of joined_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (joined_at at time zone 'UTC')::date as date
from matching_queue
where updated_at >= $since
