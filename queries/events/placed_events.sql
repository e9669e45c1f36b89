-- The events of the hours that change: those that stand there, and those that join them.
-- implements: metrics.md 2, "Events"; warehouse.md, "One partition is one file, replaced whole"
-- reads: touched_events, displaced_events, fresh_events
-- grain: event_id
-- parameters:

-- What does not make room stays where it is.
with stay as (
    select
        t.event_id,
        t.user_key,
        t.anonymous_key,
        t.session_id,
        t.event_name,
        t.properties,
        t.event_time,
        t.received_at,
        t.platform,
        t.app_version,
        t.country
    from touched_events t
    left anti join displaced_events d on d.event_id = t.event_id
)

select * from stay
union all
select
    event_id,
    user_key,
    anonymous_key,
    session_id,
    event_name,
    properties,
    event_time,
    received_at,
    platform,
    app_version,
    country
from fresh_events
order by date_trunc('hour', event_time), event_id
