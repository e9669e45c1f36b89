-- The events of a span of time, each with the user that it is known to be of.
-- implements: metrics.md 2, "Events" and "Person"; 1, "Internal users"
-- reads: events, aliases, internal_users
-- grain: event_time, event_id
-- parameters: from, to, start, until

-- A device belongs to the user that it was first seen with.
with owners as (
    select anonymous_key, first_value(user_key order by event_time, event_id) as user_key
    from aliases
    group by anonymous_key
),

-- $from and $to are the days that the span meets: they decide which files are opened.
stitched as (
    select
        e.event_time,
        e.event_id,
        coalesce(e.user_key, o.user_key) as user_id,
        e.session_id,
        e.event_name,
        e.properties as event_properties,
        e.platform,
        e.app_version,
        e.country as location_country
    from events e
    left join owners o on o.anonymous_key = e.anonymous_key
    where e.date >= $from and e.date < $to and e.event_time >= $start and e.event_time < $until
)

-- Whoever is known by a device alone has no user id.
select s.event_time, s.event_id, s.user_id, s.session_id, s.event_name, s.event_properties, s.platform, s.app_version,
    s.location_country
from stitched s
left anti join internal_users i on i.user_key = s.user_id
order by s.event_time, s.event_id
