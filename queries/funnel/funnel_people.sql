-- How far each person came in a funnel, by the date on which they entered it.
-- implements: metrics.md 6, "enters once", "Ordered", "Window", and 2, "Person"
-- reads: funnel_steps, first_moments, aliases, internal_users, events, users, user_sessions, matches, messages, swipes, payments
-- grain: date, person
-- parameters: from, to, currency, funnel_name, facts, step_count, followed_steps, window_seconds, entry, order

-- $entry 'first': a person enters once, at their first ever moment of step 1. 'any': on every date on which they have
-- one, and is worth the deepest attempt that began on it. $order 'strict': nothing may come between two steps.
-- $facts names what is read beside the events: the facts among the funnel's kinds; in a strict funnel, all.
-- $followed_steps is a mask of the steps whose moments are looked for. Where step 1 is entered once, and what enters
-- it fills no other step, that one is left out: the first ever moments tell of it, and no later one matters.

-- A kind may fill several steps, and a step have several kinds. Bit 0 is step 1.
with kinds as (
    select kind, bit_or(cast(1 as bigint) << (step_order - 1)) as steps
    from funnel_steps
    group by kind
),

-- A key that several dates took for new is with the user of the first of them.
known_users as materialized (
    select anonymous_key, first_value(user_key order by event_time, event_id) as user_key
    from aliases
    group by anonymous_key
),

followed_kinds as (
    select kind, steps
    from kinds
    where steps & $followed_steps <> 0
),

-- Events are many, and found by their own names.
event_kinds as (
    select substr(kind, 7) as event_name, steps
    from followed_kinds
    where kind like 'event:%'
),

-- Whoever enters in the window may go on for the funnel's window after it, the last instant included.
event_moments as (
    select e.date, e.user_key, e.anonymous_key, e.event_time as at, k.steps
    from events e
    join event_kinds k on k.event_name = e.event_name
    where e.date >= $from and e.date < $to + ($window_seconds + 86399) / 86400 and $order <> 'strict'
    union all
    select e.date, e.user_key, e.anonymous_key, e.event_time, k.steps
    from events e
    left join event_kinds k on k.event_name = e.event_name
    where e.date >= $from and e.date < $to + ($window_seconds + 86399) / 86400 and $order = 'strict'
),

happened as (
    select date, 'registration' as kind, user_key, created_at as at
    from users
    where $facts like '%registration%'
    union all
    select date, 'session', user_key, started_at
    from user_sessions
    where $facts like '%session%'
    union all
    select m.date, 'match', m.user_a, m.created_at
    from matches m
    left anti join internal_users i on i.user_key = m.user_b
    where $facts like '%match%'
    union all
    select m.date, 'match', m.user_b, m.created_at
    from matches m
    left anti join internal_users i on i.user_key = m.user_a
    where $facts like '%match%'
    union all
    select m.date, 'message', m.sender, m.created_at
    from messages m
    left anti join internal_users i on i.user_key = m.recipient
    where $facts like '%message%'
    union all
    select s.date, 'like', s.user_key, s.created_at
    from swipes s
    left anti join internal_users i on i.user_key = s.target_user_key
    where $facts like '%like%' and s.action in ('like', 'super_like')
    union all
    select date, 'purchase', user_key, paid_at
    from payments
    where $facts like '%purchase%'
        and kind = 'initial' and status in ('succeeded', 'refunded') and currency = $currency
),

-- A fact is always a user's.
fact_moments as (
    select h.date, h.user_key, cast(null as bigint) as anonymous_key, h.at, k.steps
    from happened h
    left join followed_kinds k on k.kind = h.kind
    where h.date >= $from and h.date < $to + ($window_seconds + 86399) / 86400
        and (k.steps is not null or $order = 'strict')
),

moments as (
    select
        m.date,
        coalesce(m.user_key, u.user_key, m.anonymous_key) as person,
        m.at,
        coalesce(m.steps, 0) as steps
    from (select * from event_moments union all select * from fact_moments) m
    left join known_users u on u.anonymous_key = m.anonymous_key
),

-- Several raw identities may be one person, and several kinds one step.
firsts as (
    select coalesce(f.user_key, u.user_key, f.anonymous_key) as person, f.at
    from first_moments f
    join kinds k on k.kind = f.kind
    left join known_users u on u.anonymous_key = f.anonymous_key
    where $entry = 'first' and f.date < $to and k.steps & 1 = 1
),

entries as materialized (
    select person, cast(min(at) as date) as date, min(at) as opens
    from firsts
    group by person
    having cast(min(at) as date) >= $from
    union all
    select distinct person, date, arrow_cast(date, 'Timestamp(Microsecond, Some("UTC"))') as opens
    from moments
    where $entry = 'any' and date < $to and steps & 1 = 1
),

followed as (
    select date, person, at, steps
    from moments
    union all
    select date, person, opens, 1
    from entries
    where $followed_steps & 1 = 0
),

-- A moment of a later date begins no attempt of this one.
walks as (
    select
        e.date,
        e.person,
        funnel(
            m.at,
            case when m.date = e.date then m.steps else m.steps & -2 end,
            $step_count,
            $window_seconds,
            $entry,
            $order
        ) as walk
    from entries e
    join followed m on m.person = e.person
    left anti join internal_users i on i.user_key = e.person
    where m.at >= e.opens and m.date <= e.date + ($window_seconds + 86399) / 86400
    group by e.date, e.person
)

select date, $funnel_name as funnel_name, person, walk['reached'] as reached, walk['avg_seconds'] as seconds
from walks
where walk['reached'] > 0
order by date, person
