with lengths as (
    select *
    from (values
        ('hourly', 'hour', interval 1 hour, $start),
        ('daily', 'day', interval 1 day, $start),
        ('weekly', 'week', interval 7 days, date_trunc('week', $start)),
        ('monthly', 'month', interval 1 month, date_trunc('month', $start)),
        ('quarterly', 'quarter', interval 3 months, date_trunc('quarter', $start))
    ) lengths(granularity, unit, length, first)
),

buckets as (
    select granularity, begins, begins + length as ends
    from (
        select granularity, length, unnest(generate_series(first, $until - interval 1 microsecond, length)) as begins
        from lengths
    )
    where begins < $as_of
),

bounds as (
    select
        least(date_trunc('quarter', $start), date_trunc('week', $start))::date as first,
        greatest(
            date_trunc('quarter', $until - interval 1 day) + interval 3 months,
            date_trunc('week', $until - interval 1 day) + interval 7 days
        )::date as last
),

active as (
    select distinct date::timestamp as day, user_key
    from active_days anti join internal_users using (user_key)
    where date >= (select first from bounds) and date < (select last from bounds)
),

sessions as (
    select
        date,
        user_key,
        started_at,
        least(greatest(coalesce(ended_at, last_seen_at), started_at), started_at + interval 24 hours) as span_end
    from user_sessions anti join internal_users using (user_key)
    where date >= (select first from bounds) - 1 and date < (select last from bounds)
),

present as (
    select 'hourly' as granularity, hour as begins, count(distinct user_key) as active
    from (
        select user_key, unnest(generate_series(
            date_trunc('hour', started_at),
            greatest(date_trunc('hour', span_end - interval 1 microsecond), date_trunc('hour', started_at)),
            interval 1 hour
        )) as hour
        from sessions
        where date >= $from - 1 and date < $to and span_end >= $start
    )
    group by hour
    union all
    select 'daily', day, count(*) from active where day >= $start and day < $until group by day
    union all
    select 'weekly', date_trunc('week', day), count(distinct user_key)
    from active where day >= date_trunc('week', $start) group by all
    union all
    select 'monthly', date_trunc('month', day), count(distinct user_key)
    from active where day >= date_trunc('month', $start) group by all
    union all
    select 'quarterly', date_trunc('quarter', day), count(distinct user_key)
    from active where day >= date_trunc('quarter', $start) group by all
),

begun as (
    select hour, sum(registrations) as registrations, sum(sessions) as sessions
    from (
        select date_trunc('hour', started_at) as hour, 0 as registrations, count(*) as sessions
        from sessions
        group by all
        union all
        select date_trunc('hour', created_at), count(*), 0
        from users
        where not is_internal and date >= (select first from bounds) and date < (select last from bounds)
        group by all
    )
    group by hour
),

measures as (
    select granularity, begins, active, 0 as registrations, 0 as sessions from present
    union all
    select granularity, date_trunc(unit, hour), 0, sum(registrations), sum(sessions)
    from begun, lengths
    group by all
)

select
    granularity,
    begins,
    ends,
    coalesce(sum(active), 0)::bigint,
    coalesce(sum(registrations), 0)::bigint,
    coalesce(sum(sessions), 0)::bigint,
    ends > $as_of
from buckets
left join measures using (granularity, begins)
group by granularity, begins, ends
order by begins, granularity
