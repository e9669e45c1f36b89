-- The user whom an anonymous key is first seen with, on the date of the first event that carries both.
-- implements: metrics.md 2, "Person"
-- reads: events, earlier
-- grain: anonymous_key
-- parameters: from, to

-- A key that an earlier date has seen with a user stays with that one.
with together as (
    select
        e.date,
        e.anonymous_key,
        e.user_key,
        e.event_time,
        e.event_id,
        row_number() over (partition by e.anonymous_key order by e.event_time, e.event_id) as nth
    from events e
    left anti join earlier k on k.anonymous_key = e.anonymous_key
    where e.date >= $from and e.date < $to and e.user_key is not null and e.anonymous_key is not null
)

select date, anonymous_key, user_key, event_time, event_id
from together
where nth = 1
order by date, anonymous_key
