-- Active users, registrations and sessions of every hour, day, week, month and quarter that meets the window.
-- implements: metrics.md 3, "Active user of a bucket"; 1, "Distinct counts do not add", "Partial"
-- reads: active_days, user_sessions, users, internal_users
-- grain: granularity, bucket_start
-- parameters: from, to, as_of

-- Buckets that have begun. Hours and days lie in the window; the longer ones may begin before it and end after it.
with starts as (
    select 'hourly' as granularity, unnest(generate_series(
        arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))'),
        arrow_cast($to, 'Timestamp(Microsecond, Some("UTC"))') - interval '1 hour',
        interval '1 hour'
    )) as bucket_start
    union all
    select 'daily', unnest(generate_series(
        arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))'),
        arrow_cast($to, 'Timestamp(Microsecond, Some("UTC"))') - interval '1 day',
        interval '1 day'
    ))
    union all
    select 'weekly', unnest(generate_series(
        date_trunc('week', arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))')),
        arrow_cast($to, 'Timestamp(Microsecond, Some("UTC"))') - interval '1 day',
        interval '7 days'
    ))
    union all
    select 'monthly', unnest(generate_series(
        date_trunc('month', arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))')),
        arrow_cast($to, 'Timestamp(Microsecond, Some("UTC"))') - interval '1 day',
        interval '1 month'
    ))
    union all
    select 'quarterly', unnest(generate_series(
        date_trunc('quarter', arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))')),
        arrow_cast($to, 'Timestamp(Microsecond, Some("UTC"))') - interval '1 day',
        interval '3 months'
    ))
),

buckets as (
    select
        granularity,
        bucket_start,
        case granularity
            when 'hourly' then bucket_start + interval '1 hour'
            when 'daily' then bucket_start + interval '1 day'
            when 'weekly' then bucket_start + interval '7 days'
            when 'monthly' then bucket_start + interval '1 month'
            else bucket_start + interval '3 months'
        end as bucket_end
    from starts
    where bucket_start < $as_of
),

-- The days of the longest buckets; a week may begin before its quarter, or end after it. In which buckets a day lies is
-- worked out once for each day, and not for each row.
calendar as (
    select
        cast(day as date) as date,
        day,
        date_trunc('week', day) as week,
        date_trunc('month', day) as month,
        date_trunc('quarter', day) as quarter
    from (
        select unnest(generate_series(
            arrow_cast(least(date_trunc('quarter', $from), date_trunc('week', $from) - interval '1 day'),
                'Timestamp(Microsecond, Some("UTC"))'),
            arrow_cast(greatest(
                date_trunc('quarter', $to - interval '1 day') + interval '3 months',
                date_trunc('week', $to - interval '1 day') + interval '7 days'
            ), 'Timestamp(Microsecond, Some("UTC"))'),
            interval '1 day'
        )) as day
    )
),

active as (
    select a.date, a.user_key
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date >= least(date_trunc('quarter', $from), date_trunc('week', $from))
        and a.date < greatest(
            date_trunc('quarter', $to - interval '1 day') + interval '3 months',
            date_trunc('week', $to - interval '1 day') + interval '7 days'
        )
),

-- In microseconds, since sessions are many: an instant with its zone costs a look at the calendar for each row.
sessions as (
    select
        s.date,
        s.user_key,
        cast(s.started_at as bigint) as started,
        least(
            greatest(cast(coalesce(s.ended_at, s.last_seen_at) as bigint), cast(s.started_at as bigint)),
            cast(s.started_at as bigint) + 86400000000
        ) as ended
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= least(date_trunc('quarter', $from), date_trunc('week', $from) - interval '1 day')
        and s.date < greatest(
            date_trunc('quarter', $to - interval '1 day') + interval '3 months',
            date_trunc('week', $to - interval '1 day') + interval '7 days'
        )
),

-- Every hour that a span meets, its last one excluded when the span ends just as it begins. Hours are numbered from 1970
-- on.
hours as (
    select user_key, unnest(generate_series(
        started / 3600000000,
        greatest((ended - 1) / 3600000000, started / 3600000000)
    )) as hour
    from sessions
    where date >= $from - interval '1 day' and date < $to
        and ended >= cast(arrow_cast($from, 'Timestamp(Microsecond, Some("UTC"))') as bigint)
),

-- Distinct first, counted afterwards; each branch looks back no further than its own first bucket.
present as (
    select 'hourly' as granularity, arrow_cast(hour * 3600000000, 'Timestamp(Microsecond, Some("UTC"))') as bucket_start,
        active_users
    from (
        select hour, count(*) as active_users
        from (select distinct hour, user_key from hours)
        group by hour
    )
    union all
    select 'daily', day, count(*)
    from (
        select distinct c.day, a.user_key
        from active a
        join calendar c on c.date = a.date
        where a.date >= $from and a.date < $to
    )
    group by day
    union all
    select 'weekly', week, count(*)
    from (
        select distinct c.week, a.user_key
        from active a
        join calendar c on c.date = a.date
        where a.date >= date_trunc('week', $from)
    )
    group by week
    union all
    select 'monthly', month, count(*)
    from (
        select distinct c.month, a.user_key
        from active a
        join calendar c on c.date = a.date
        where a.date >= date_trunc('month', $from)
    )
    group by month
    union all
    select 'quarterly', quarter, count(*)
    from (
        select distinct c.quarter, a.user_key
        from active a
        join calendar c on c.date = a.date
        where a.date >= date_trunc('quarter', $from)
    )
    group by quarter
),

-- What has one instant falls into one bucket of each length: counted by hour once, then added up for each.
begun as (
    select started / 3600000000 as hour, 0 as registrations, 1 as sessions from sessions
    union all
    select cast(created_at as bigint) / 3600000000, 1, 0
    from users
    where not is_internal
        and date >= least(date_trunc('quarter', $from), date_trunc('week', $from))
        and date < greatest(
            date_trunc('quarter', $to - interval '1 day') + interval '3 months',
            date_trunc('week', $to - interval '1 day') + interval '7 days'
        )
),

begun_by_hour as (
    select
        unnest(make_array('hourly', 'daily', 'weekly', 'monthly', 'quarterly')) as granularity,
        arrow_cast(hour * 3600000000, 'Timestamp(Microsecond, Some("UTC"))') as began,
        registrations,
        sessions
    from (
        select hour, sum(registrations) as registrations, sum(sessions) as sessions
        from begun
        group by hour
    )
),

measures as (
    select granularity, bucket_start, active_users, 0 as registrations, 0 as sessions
    from present
    union all
    select
        granularity,
        case granularity
            when 'hourly' then began
            when 'daily' then date_trunc('day', began)
            when 'weekly' then date_trunc('week', began)
            when 'monthly' then date_trunc('month', began)
            else date_trunc('quarter', began)
        end,
        0,
        registrations,
        sessions
    from begun_by_hour
)

select
    b.granularity,
    b.bucket_start,
    b.bucket_end,
    coalesce(sum(m.active_users), 0) as active_users,
    coalesce(sum(m.registrations), 0) as new_registrations,
    coalesce(sum(m.sessions), 0) as total_sessions,
    b.bucket_end > $as_of as is_partial
from buckets b
left join measures m on m.granularity = b.granularity and m.bucket_start = b.bucket_start
group by b.granularity, b.bucket_start, b.bucket_end
order by b.bucket_start, b.granularity
