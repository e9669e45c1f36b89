-- How far each person came in a funnel, by the date on which they entered it.
-- implements: metrics.md 6, "enters once", "Ordered", "Window", and 2, "Person"
-- reads: funnel_steps, first_moments, aliases, internal_users, events, users, user_sessions, matches, messages, swipes, payments
-- grain: date, person
-- parameters: from, to, currency, funnel_name, facts, entry_kinds, step_count, followed_steps, window_seconds, entry, order

-- $entry 'first': a person enters once, at their first ever moment of step 1. 'any': on every date on which they have
-- one, and is worth the deepest attempt that began on it. $order 'strict': nothing may come between two steps.
-- $facts names what is read beside the events: the facts among the funnel's kinds; in a strict funnel, all.
-- $entry_kinds are those of step 1, by which first moments lie in their files.
-- $followed_steps is a mask of the steps whose moments are looked for. Where step 1 is entered once, and what enters
-- it fills no other step, that one is left out: the first ever moments tell of it, and no later one matters.

-- A kind may fill several steps, and a step have several kinds. Bit 0 is step 1.
with kinds as (
    select kind, bit_or(cast(1 as bigint) << (step_order - 1)) as steps
    from funnel_steps
    group by kind
),

-- A key that several dates took for new is with the user of the first of them. Nearly all have one user.
owners as materialized (
    select anonymous_key, min(user_key) as user_key, max(user_key) as other
    from aliases
    group by anonymous_key
),

known_users as materialized (
    select anonymous_key, user_key
    from owners
    where user_key = other
    union all
    select a.anonymous_key, first_value(a.user_key order by a.event_time, a.event_id)
    from aliases a
    join (select anonymous_key from owners where user_key < other) o on o.anonymous_key = a.anonymous_key
    group by a.anonymous_key
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

-- Whoever enters in the window may go on for the funnel's window after it, the last instant included. An event that
-- names no user is its device's.
done as (
    select
        date,
        coalesce(user_key, anonymous_key) as key,
        user_key is null as is_device,
        event_name,
        event_time as at
    from events
    where date >= $from and date < $to + ($window_seconds + 86399) / 86400
),

-- A fact is always a user's. The other side of some must not be staff either.
happened as (
    select date, 'registration' as kind, user_key, cast(null as bigint) as other, created_at as at
    from users
    where $facts like '%registration%'
    union all
    select date, 'session', user_key, null, started_at
    from user_sessions
    where $facts like '%session%'
    union all
    select date, 'match', user_a, user_b, created_at
    from matches
    where $facts like '%match%'
    union all
    select date, 'match', user_b, user_a, created_at
    from matches
    where $facts like '%match%'
    union all
    select date, 'message', sender, recipient, created_at
    from messages
    where $facts like '%message%'
    union all
    select date, 'like', user_key, target_user_key, created_at
    from swipes
    where $facts like '%like%' and action in ('like', 'super_like')
    union all
    select date, 'purchase', user_key, null, paid_at
    from payments
    where $facts like '%purchase%'
        and kind = 'initial' and status in ('succeeded', 'refunded') and currency = $currency
),

facts as (
    select date, kind, user_key, other, at
    from happened
    where date >= $from and date < $to + ($window_seconds + 86399) / 86400
),

-- Several kinds may be one step.
firsts as (
    select f.date, f.user_key, f.anonymous_key, f.at
    from first_moments f
    where $entry = 'first' and f.date < $to and array_has($entry_kinds, f.kind)
),

openings as (
    select d.date, case when d.is_device then coalesce(u.user_key, d.key) else d.key end as person
    from done d
    join event_kinds k on k.event_name = d.event_name
    left join known_users u on u.anonymous_key = d.key
    where $entry = 'any' and d.date < $to and k.steps & 1 = 1
    union all
    select f.date, f.user_key
    from facts f
    join followed_kinds k on k.kind = f.kind
    left anti join internal_users i on i.user_key = f.other
    where $entry = 'any' and f.date < $to and k.steps & 1 = 1
),

-- Several raw identities may be one person.
candidates as materialized (
    select c.date, c.person, c.opens
    from (
        select
            cast(min(f.at) as date) as date,
            coalesce(f.user_key, u.user_key, f.anonymous_key) as person,
            min(f.at) as opens
        from firsts f
        left join known_users u on u.anonymous_key = f.anonymous_key
        where f.date >= $from
        group by coalesce(f.user_key, u.user_key, f.anonymous_key)
        union all
        select distinct date, person, arrow_cast(date, 'Timestamp(Microsecond, Some("UTC"))') as opens
        from openings
    ) c
    left anti join internal_users i on i.user_key = c.person
),

people as (
    select distinct person
    from candidates
),

-- By what the events of these may be known: few names, beside those of all who do anything.
names as materialized (
    select person as key, false as is_device, person
    from people
    union all
    select p.person as key, true as is_device, p.person
    from people p
    left anti join known_users u on u.anonymous_key = p.person
    union all
    select u.anonymous_key, true, p.person
    from people p
    join known_users u on u.user_key = p.person
),

-- Who was there before, by whichever name, does not enter again.
known_before as materialized (
    select distinct n.person
    from names n
    join firsts f on coalesce(f.user_key, f.anonymous_key) = n.key and f.user_key is null = n.is_device
    where f.date < $from
),

entries as (
    select c.date, c.person, c.opens
    from candidates c
    left anti join known_before b on b.person = c.person
),

event_moments as (
    select n.person, d.date, d.at, k.steps
    from (select n.* from names n left anti join known_before b on b.person = n.person) n
    join done d on d.key = n.key and d.is_device = n.is_device
    left join event_kinds k on k.event_name = d.event_name
    where k.steps is not null or $order = 'strict'
),

fact_moments as (
    select p.person, f.date, f.at, k.steps
    from people p
    join facts f on f.user_key = p.person
    left join followed_kinds k on k.kind = f.kind
    left anti join internal_users i on i.user_key = f.other
    where k.steps is not null or $order = 'strict'
),

moments as (
    select * from event_moments
    union all
    select * from fact_moments
    union all
    select person, date, opens, 1
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
    join moments m on m.person = e.person
    where m.at >= e.opens and m.date <= e.date + ($window_seconds + 86399) / 86400
    group by e.date, e.person
)

select date, $funnel_name as funnel_name, person, walk['reached'] as reached, walk['avg_seconds'] as seconds
from walks
where walk['reached'] > 0
order by date, person
