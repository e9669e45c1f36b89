-- The devices that belong to a user: those that were first seen with this one.
-- implements: metrics.md 2, "Person"
-- reads: events
-- grain: anonymous_key
-- parameters: user_key

with carried as (
    select distinct anonymous_key from events where user_key = $user_key and anonymous_key is not null
),

owners as (
    select e.anonymous_key, first_value(e.user_key order by e.event_time, e.event_id) as user_key
    from events e
    left semi join carried c on c.anonymous_key = e.anonymous_key
    where e.user_key is not null
    group by e.anonymous_key
)

select anonymous_key
from owners
where user_key = $user_key
order by anonymous_key
