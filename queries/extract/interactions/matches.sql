-- Answers:    which mutual likes came about in a window.
-- Reads:      matches, in the interactions database.
-- Grain:      one row per pair of users.
-- Parameters: $from, $to: the window of created_at, from an instant up to, and without, another.
select
    id as match_id,
    user_a_id as user_a,
    user_b_id as user_b,
    created_at
from matches
where created_at >= $from
    and created_at < $to
