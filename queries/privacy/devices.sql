-- The devices that belong to a user: those that were first seen with this one.
-- implements: metrics.md 2, "Person"
-- reads: events, aliases
-- grain: anonymous_key
-- parameters: user_key

-- The state knows what is not kept any more; the events know what no run has looked at since.
with seen as (
    select anonymous_key, user_key, event_time, event_id from aliases
    union all
    select anonymous_key, user_key, event_time, event_id
    from events
    where user_key is not null and anonymous_key is not null
),

carried as (
    select distinct anonymous_key from seen where user_key = $user_key
),

owners as (
    select s.anonymous_key, first_value(s.user_key order by s.event_time, s.event_id) as user_key
    from seen s
    left semi join carried c on c.anonymous_key = s.anonymous_key
    group by s.anonymous_key
)

select anonymous_key
from owners
where user_key = $user_key
order by anonymous_key
