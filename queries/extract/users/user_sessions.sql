-- Answers:    which signed-in app sessions started in a window.
-- Reads:      user_sessions, in the users database.
-- Grain:      one row per session.
-- Parameters: $from, $to: the window of started_at, from an instant up to, and without, another.
select
    user_id as user_key,
    id as session_id,
    platform,
    app_version,
    country,
    started_at,
    last_seen_at,
    ended_at,
    exit_reason
from user_sessions
where started_at >= $from
    and started_at < $to
