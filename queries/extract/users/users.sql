-- Answers:    which accounts were created in a window.
-- Reads:      users, in the users database.
-- Grain:      one row per account.
-- Parameters: $from, $to: the window of created_at, from an instant up to, and without, another.
-- The user id leaves the extractor as its user key only; name, address, password and birth date are never read.
select
    id as user_key,
    created_at,
    country,
    signup_platform,
    gender,
    status,
    is_internal
from users
where created_at >= $from
    and created_at < $to
