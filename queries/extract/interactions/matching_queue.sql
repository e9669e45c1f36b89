-- Answers:    who began to wait for a partner in a window, and until when.
-- Reads:      matching_queue, in the interactions database.
-- Grain:      one row per stay in the queue.
-- Parameters: $from, $to: the window of joined_at, from an instant up to, and without, another.
select
    user_id as user_key,
    id as queue_id,
    joined_at,
    left_at,
    outcome
from matching_queue
where joined_at >= $from
    and joined_at < $to
