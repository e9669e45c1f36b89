with hours as (
    select unnest(generate_series($start, $until - interval 1 hour, interval 1 hour)) as hour
),

sessions as (
    select *
    from (
        select
            user_key,
            started_at,
            least(greatest(coalesce(ended_at, last_seen_at), started_at), started_at + interval 24 hours) as span_end
        from user_sessions anti join internal_users using (user_key)
        where date >= $from - 1 and date < $to
    )
    where started_at < $until and (span_end > $start or started_at >= $start)
),

calls as (
    select *
    from (
        select
            started_at,
            least(greatest(coalesce(ended_at, $as_of), started_at), started_at + interval 24 hours) as span_end
        from interactions
        where date >= $from - 1 and date < $to
            and initiator not in (from internal_users) and partner not in (from internal_users)
    )
    where started_at < $until and (span_end > $start or started_at >= $start)
),

queued as (
    select *
    from (
        select
            joined_at,
            least(greatest(coalesce(left_at, $as_of), joined_at), joined_at + interval 24 hours) as span_end
        from matching_queue anti join internal_users using (user_key)
        where date >= $from - 1 and date < $to
    )
    where joined_at < $until and span_end > greatest(joined_at, $start)
),

-- Of each span the part that no earlier one of its user covers.
presence as (
    select greatest(started_at, covered_to) as came, span_end as went
    from (
        select started_at, span_end, max(span_end) over (
            partition by user_key order by started_at, span_end rows between unbounded preceding and 1 preceding
        ) as covered_to
        from sessions
    )
    where span_end > greatest(started_at, covered_to)
),

steps as (
    select instant, sum(users) as users, sum(queue) as queue
    from (
        select greatest(came, $start) as instant, 1 as users, 0 as queue from presence
        union all
        select went, -1, 0 from presence
        union all
        select greatest(joined_at, $start), 0, 1 from queued
        union all
        select span_end, 0, -1 from queued
        union all
        select hour, 0, 0 from hours
    )
    group by instant
),

peaks as (
    select time_bucket(interval 1 hour, instant) as hour, max(users) as users, max(queue) as queue
    from (
        select instant, sum(users) over past as users, sum(queue) over past as queue
        from steps
        window past as (order by instant rows unbounded preceding)
    )
    group by 1
),

active as (
    select hour, count(*) as users
    from (
        select distinct user_key, unnest(generate_series(
            date_trunc('hour', greatest(started_at, $start)),
            greatest(date_trunc('hour', span_end - interval 1 microsecond), date_trunc('hour', started_at)),
            interval 1 hour
        )) as hour
        from sessions
    )
    group by hour
),

ongoing as (
    select hour, count(*) as calls
    from (
        select unnest(generate_series(
            date_trunc('hour', greatest(started_at, $start)),
            greatest(date_trunc('hour', span_end - interval 1 microsecond), date_trunc('hour', started_at)),
            interval 1 hour
        )) as hour
        from calls
    )
    group by hour
),

begun as (
    select date_trunc('hour', instant) as hour, sum(users) as users, sum(calls) as calls, sum(messages) as messages
    from (
        select created_at as instant, 1 as users, 0 as calls, 0 as messages
        from users where date >= $from and date < $to and not is_internal
        union all
        select started_at, 0, 1, 0 from calls
        union all
        select created_at, 0, 0, 1
        from messages
        where date >= $from and date < $to
            and sender not in (from internal_users) and recipient not in (from internal_users)
    )
    group by 1
)

select
    h.hour,
    p.users::bigint,
    coalesce(a.users, 0),
    coalesce(o.calls, 0),
    p.queue::bigint,
    coalesce(b.users, 0)::bigint,
    coalesce(b.calls, 0)::bigint,
    coalesce(b.messages, 0)::bigint,
    h.hour + interval 1 hour > $as_of
from hours h
left join peaks p using (hour)
left join active a using (hour)
left join ongoing o using (hour)
left join begun b using (hour)
order by h.hour
