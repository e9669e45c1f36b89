-- Answers:    what the app reported about the sessions that started in a window.
-- Reads:      session_telemetry, in the interactions database.
-- Grain:      one row per session.
-- Parameters: $from, $to: the window of started_at, from an instant up to, and without, another.
select
    user_id as user_key,
    session_id,
    started_at,
    screens_viewed,
    actions_taken
from session_telemetry
where started_at >= $from
    and started_at < $to
