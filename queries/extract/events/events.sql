-- Answers:    which events arrived in a window, whenever they happened.
-- Reads:      behavior_events, in the database of EVENTS_URL: the interactions database by default.
-- Grain:      one row per event.
-- Parameters: $from, $to: the window of received_at, from an instant up to, and without, another.
select
    event_id,
    user_id as user_key,
    nullif(anonymous_id, '') as anonymous_key,
    session_id::text as session_id,
    event_name,
    properties::text as properties,
    event_time,
    received_at,
    platform,
    app_version,
    country
from behavior_events
where received_at >= $from
    and received_at < $to
