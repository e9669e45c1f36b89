-- When each raw identity did a thing for the first time ever, on the date of that instant.
-- implements: metrics.md 6, the instants of the steps, and 4, "Subscription purchase"
-- reads: events, users, user_sessions, matches, messages, swipes, payments, internal_users, earlier
-- grain: kind, user_key, anonymous_key
-- parameters: from, to, currency

-- What involves an internal user on its other side is left out here already, since the other side is not kept. The
-- identity itself may turn out to be internal, or to have an alias, at any later time: that is for those who read this.
with moments as (
    select date, 'event:' || event_name as kind, user_key, anonymous_key, event_time as at
    from events
    union all
    select date, 'registration', user_key, cast(null as bigint), created_at
    from users
    union all
    select date, 'session', user_key, cast(null as bigint), started_at
    from user_sessions
    union all
    select m.date, 'match', m.user_a, cast(null as bigint), m.created_at
    from matches m
    left anti join internal_users i on i.user_key = m.user_b
    union all
    select m.date, 'match', m.user_b, cast(null as bigint), m.created_at
    from matches m
    left anti join internal_users i on i.user_key = m.user_a
    union all
    select m.date, 'message', m.sender, cast(null as bigint), m.created_at
    from messages m
    left anti join internal_users i on i.user_key = m.recipient
    union all
    select s.date, 'like', s.user_key, cast(null as bigint), s.created_at
    from swipes s
    left anti join internal_users i on i.user_key = s.target_user_key
    where s.action in ('like', 'super_like')
    union all
    select date, 'purchase', user_key, cast(null as bigint), paid_at
    from payments
    where kind = 'initial' and status in ('succeeded', 'refunded') and currency = $currency
),

firsts as (
    select kind, user_key, anonymous_key, min(date) as date, min(at) as at
    from moments
    where date >= $from and date < $to
    group by kind, user_key, anonymous_key
)

select f.date, f.kind, f.user_key, f.anonymous_key, f.at
from firsts f
left anti join earlier e
    on (e.kind is not distinct from f.kind)
    and (e.user_key is not distinct from f.user_key)
    and (e.anonymous_key is not distinct from f.anonymous_key)
order by f.date, f.kind, f.user_key, f.anonymous_key
