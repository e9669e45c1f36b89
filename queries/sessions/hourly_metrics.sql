-- What went on in each hour: who and what was there at its peak and in all of it, and what began in it.
-- implements: metrics.md 7, "hourly_metrics"; 3, "Session span", "Active user"; 1, "Internal users", "Partial"
-- reads: user_sessions, interactions, matching_queue, users, messages, internal_users
-- grain: timestamp
-- parameters: from, to, start, until, as_of

-- The hours of the days that lie in [start, until) and have begun.
with hours as (
    select hour, cast(hour as bigint) / 3600000000 as number
    from (
        -- A series of instants comes in nanoseconds.
        select arrow_cast(hour, 'Timestamp(Microsecond, Some("UTC"))') as hour
        from (
            select unnest(generate_series(
                arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))'),
                arrow_cast($to, 'Timestamp(Microsecond, Some("UTC"))') - interval '1 hour',
                interval '1 hour'
            )) as hour
        )
    )
    where hour >= $start and hour < $until and hour < $as_of
),

-- No span is longer than a day: those of the window started on its days, or on the one before. In microseconds, since
-- they are many: an instant with its zone costs a look at the calendar for each row.
sessions as materialized (
    select user_key, started, ended
    from (
        select
            s.user_key,
            cast(s.started_at as bigint) as started,
            least(
                greatest(cast(coalesce(s.ended_at, s.last_seen_at) as bigint), cast(s.started_at as bigint)),
                cast(s.started_at as bigint) + 86400000000
            ) as ended
        from user_sessions s
        left anti join internal_users i on i.user_key = s.user_key
        where s.date >= $from - interval '1 day' and s.date < $to
    )
    where started < cast($until as bigint) and (ended > cast($start as bigint) or started >= cast($start as bigint))
),

-- Without an end they last until the watermark.
calls as (
    select started, ended
    from (
        select
            cast(x.started_at as bigint) as started,
            least(
                greatest(cast(coalesce(x.ended_at, $as_of) as bigint), cast(x.started_at as bigint)),
                cast(x.started_at as bigint) + 86400000000
            ) as ended
        from interactions x
        left anti join internal_users a on a.user_key = x.initiator
        left anti join internal_users b on b.user_key = x.partner
        where x.date >= $from - interval '1 day' and x.date < $to
    )
    where started < cast($until as bigint) and (ended > cast($start as bigint) or started >= cast($start as bigint))
),

queued as (
    select joined, ended
    from (
        select
            cast(q.joined_at as bigint) as joined,
            least(
                greatest(cast(coalesce(q.left_at, $as_of) as bigint), cast(q.joined_at as bigint)),
                cast(q.joined_at as bigint) + 86400000000
            ) as ended
        from matching_queue q
        left anti join internal_users i on i.user_key = q.user_key
        where q.date >= $from - interval '1 day' and q.date < $to
    )
    where joined < cast($until as bigint) and ended > greatest(joined, cast($start as bigint))
),

-- How far a user's earlier spans reach. Of two that began together, the same one is always the earlier.
covered as (
    select
        started,
        ended,
        max(ended) over (
            partition by user_key order by started, ended rows between unbounded preceding and 1 preceding
        ) as covered_to
    from sessions
),

-- Of each span the part that no earlier one of its user covers: a user on two devices is one, and a span without any
-- length is none.
presence as materialized (
    select greatest(started, covered_to) as came, ended as went
    from covered
    where ended > greatest(started, covered_to)
),

-- Who comes and who goes at one instant cancel out: spans are half-open. What is there as the window begins came
-- then, and every hour has its first instant, so that its peak knows what went before it.
steps as (
    select greatest(came, cast($start as bigint)) as instant, 1 as users, 0 as queue from presence
    union all
    select went, -1, 0 from presence
    union all
    select greatest(joined, cast($start as bigint)), 0, 1 from queued
    union all
    select ended, 0, -1 from queued
    union all
    select cast(hour as bigint), 0, 0 from hours
),

-- Hours are numbered from 1970 on.
changes as (
    select
        instant / 3600000000 as hour,
        sum(users) as users,
        sum(queue) as queue,
        peak(instant, users) filter (where queue = 0) as users_peak,
        peak(instant, queue) filter (where users = 0) as queue_peak
    from steps
    group by instant / 3600000000
),

-- On top of what the hours before have left.
peaks as (
    select
        hour,
        sum(users) over (order by hour rows unbounded preceding) - users + users_peak as concurrent_users,
        sum(queue) over (order by hour rows unbounded preceding) - queue + queue_peak as queue_length
    from changes
),

-- Every hour that a span meets, its last one excluded when the span ends just as it begins.
active as (
    select hour, count(*) as active_users
    from (
        select distinct user_key, unnest(generate_series(
            greatest(started, cast($start as bigint)) / 3600000000,
            greatest((ended - 1) / 3600000000, started / 3600000000)
        )) as hour
        from sessions
    )
    group by hour
),

ongoing as (
    select hour, count(*) as active_interactions
    from (
        select unnest(generate_series(
            greatest(started, cast($start as bigint)) / 3600000000,
            greatest((ended - 1) / 3600000000, started / 3600000000)
        )) as hour
        from calls
    )
    group by hour
),

-- What has one instant falls into one hour.
begun as (
    select
        instant / 3600000000 as hour,
        sum(users) as new_users,
        sum(interactions) as new_interactions,
        sum(messages) as new_messages
    from (
        select cast(created_at as bigint) as instant, 1 as users, 0 as interactions, 0 as messages
        from users
        where date >= $from and date < $to and not is_internal
        union all
        select started, 0, 1, 0 from calls
        union all
        select cast(m.created_at as bigint), 0, 0, 1
        from messages m
        left anti join internal_users a on a.user_key = m.sender
        left anti join internal_users b on b.user_key = m.recipient
        where m.date >= $from and m.date < $to
    )
    group by instant / 3600000000
)

select
    h.hour as "timestamp",
    p.concurrent_users,
    coalesce(a.active_users, 0) as active_users,
    coalesce(o.active_interactions, 0) as active_interactions,
    p.queue_length,
    coalesce(b.new_users, 0) as new_users,
    coalesce(b.new_interactions, 0) as new_interactions,
    coalesce(b.new_messages, 0) as new_messages,
    h.hour + interval '1 hour' > $as_of as is_partial
from hours h
left join peaks p on p.hour = h.number
left join active a on a.hour = h.number
left join ongoing o on o.hour = h.number
left join begun b on b.hour = h.number
order by h.hour
