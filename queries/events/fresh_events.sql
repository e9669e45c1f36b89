-- Of the events that arrived, those that the lake does not have yet, or has as a copy that arrived later.
-- implements: metrics.md 2, "de-duplicated on event_id, across dates, the copy that arrived first wins"
-- reads: incoming_events, known_copies
-- grain: event_id
-- parameters:

-- Few arrive more than once, and only those are ranked. What arrived is on the right of each join, which passes it on
-- row by row: of a first read, it is the whole history, which no memory holds.
with repeated as materialized (
    select event_id
    from incoming_events
    group by event_id
    having count(*) > 1
),

-- Of two copies that arrived at the same instant, the same one wins whatever the order in which they are read.
ranked as (
    select
        i.event_id,
        i.user_key,
        i.anonymous_key,
        i.session_id,
        i.event_name,
        i.properties,
        i.event_time,
        i.received_at,
        i.platform,
        i.app_version,
        i.country,
        row_number() over (
            -- By the id of the join's other side: what is sorted is what has joined.
            partition by r.event_id
            order by
                i.received_at, i.event_time, i.event_name, i.user_key, i.anonymous_key, i.session_id, i.properties,
                i.platform, i.app_version, i.country
        ) as nth
    from repeated r
    join incoming_events i on i.event_id = r.event_id
),

copies as (
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
    from ranked
    where nth = 1
    union all
    select
        i.event_id,
        i.user_key,
        i.anonymous_key,
        i.session_id,
        i.event_name,
        i.properties,
        i.event_time,
        i.received_at,
        i.platform,
        i.app_version,
        i.country
    from repeated r
    right anti join incoming_events i on i.event_id = r.event_id
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
from known_copies k
right anti join copies c on c.event_id = k.event_id and c.received_at >= k.received_at
order by cast(c.event_time as date)
