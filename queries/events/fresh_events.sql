-- Of the events that arrived, those that the lake does not have yet, or has as a copy that arrived later.
-- implements: metrics.md 2, "de-duplicated on event_id, across dates, the copy that arrived first wins"
-- reads: incoming_events, known_copies
-- grain: event_id
-- parameters:

-- Of two copies that arrived at the same instant, the same one wins whatever the order in which they are read.
with copies as (
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
        country,
        row_number() over (
            partition by event_id
            order by
                received_at, event_time, event_name, user_key, anonymous_key, session_id, properties, platform,
                app_version, country
        ) as nth
    from incoming_events
)

select
    c.event_id,
    c.user_key,
    c.anonymous_key,
    c.session_id,
    c.event_name,
    c.properties,
    c.event_time,
    c.received_at,
    c.platform,
    c.app_version,
    c.country
from copies c
left anti join known_copies k on k.event_id = c.event_id and k.received_at <= c.received_at
where c.nth = 1
order by cast(c.event_time as date)
