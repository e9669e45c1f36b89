-- Answers:    which likes, super likes and passes were made in a window.
-- Reads:      swipes, in the interactions database.
-- Grain:      one row per swipe.
-- Parameters: $from, $to: the window of created_at, from an instant up to, and without, another.
select
    user_id as user_key,
    target_user_id as target_user_key,
    action,
    created_at
from swipes
where created_at >= $from
    and created_at < $to
