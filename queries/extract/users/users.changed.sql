-- Answers:    the dates whose users have changed since an instant, to be read again whole.
-- Reads:      users, in the users database.
-- Grain:      one row per UTC date of created_at.
-- Parameters: $since: the instant from which on updated_at counts as changed.
select distinct (created_at at time zone 'UTC')::date as date
from users
where updated_at >= $since
