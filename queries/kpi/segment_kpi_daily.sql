-- Key figures of each day by platform, app version, country and gender.
-- implements: metrics.md 3, "Segments"; 4, "total_revenue"
-- reads: active_days, user_sessions, users, messages, payments, internal_users
-- grain: date, dimension, value
-- parameters: from, to, currency

-- Platform and app version are the session's. Whoever was there without one counts beside the others as `unknown`.
with active as (
    select
        a.date,
        a.user_key,
        coalesce(a.platform, 'unknown') as platform,
        coalesce(a.app_version, 'unknown') as app_version
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date >= $from and a.date < $to
),

sessions as (
    select
        s.date,
        s.user_key,
        coalesce(s.platform, 'unknown') as platform,
        coalesce(s.app_version, 'unknown') as app_version,
        case
            when s.ended_at >= s.started_at
            then least(cast(s.ended_at as bigint) - cast(s.started_at as bigint), 86400000000)
        end as micros
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= $from and s.date < $to
),

-- Summed by user first, so that fewer rows are joined with users.
user_sessions_by_day as (
    select date, user_key, count(*) as sessions, sum(micros) as micros, count(micros) as closed
    from sessions
    group by date, user_key
),

user_messages_by_day as (
    select m.date, m.sender as user_key, count(*) as messages
    from messages m
    left anti join internal_users a on a.user_key = m.sender
    left anti join internal_users b on b.user_key = m.recipient
    where m.date >= $from and m.date < $to
    group by m.date, m.sender
),

-- What a refund takes away counts on the day of the refund: each payment is read once, and stands on both its days. The
-- condition on either lets those of neither be skipped while they are read.
money as (
    select
        p.user_key,
        unnest(make_array(p.date, cast(p.refunded_at as date))) as date,
        unnest(make_array(
            cast(p.amount as decimal(20, 2)),
            cast(-coalesce(p.refunded_amount, p.amount) as decimal(20, 2))
        )) as revenue
    from payments p
    left anti join internal_users i on i.user_key = p.user_key
    where p.status in ('succeeded', 'refunded') and p.currency = $currency
        and (
            p.date >= $from and p.date < $to
            or cast(p.refunded_at as date) >= $from and cast(p.refunded_at as date) < $to
        )
),

-- Country and gender are the user's. A number stands for both of them: where users are many, it is sooner looked up, and
-- rows are sooner counted by it.
profiles as materialized (
    select country, gender, row_number() over (order by country, gender) as profile
    from (
        select distinct coalesce(country, 'unknown') as country, coalesce(gender, 'unknown') as gender
        from users
    )
),

members as materialized (
    select u.user_key, p.profile
    from users u
    join profiles p on p.country = coalesce(u.country, 'unknown') and p.gender = coalesce(u.gender, 'unknown')
),

-- What a user did on a day, on rows that add up.
user_days as (
    select date, user_key, 1 as active, 0 as sessions, 0 as micros, 0 as closed, 0 as messages
    from (select distinct date, user_key from active)
    union all
    select date, user_key, 0, sessions, coalesce(micros, 0), closed, 0 from user_sessions_by_day
    union all
    select date, user_key, 0, 0, 0, 0, messages from user_messages_by_day
),

profile_days as (
    select
        d.date,
        m.profile,
        sum(d.active) as active_users,
        sum(d.sessions) as total_sessions,
        sum(d.micros) as micros,
        sum(d.closed) as closed_sessions,
        sum(d.messages) as total_messages
    from user_days d
    left join members m on m.user_key = d.user_key
    group by d.date, m.profile
),

by_user as materialized (
    select
        d.date,
        coalesce(p.country, 'unknown') as country,
        coalesce(p.gender, 'unknown') as gender,
        d.active_users,
        0 as new_registrations,
        d.total_sessions,
        d.micros,
        d.closed_sessions,
        d.total_messages,
        cast(0 as decimal(20, 2)) as total_revenue
    from profile_days d
    left join profiles p on p.profile = d.profile
    union all
    select date, coalesce(country, 'unknown'), coalesce(gender, 'unknown'), 0, count(*), 0, 0, 0, 0, 0
    from users
    where date >= $from and date < $to and not is_internal
    group by date, coalesce(country, 'unknown'), coalesce(gender, 'unknown')
    union all
    select r.date, coalesce(p.country, 'unknown'), coalesce(p.gender, 'unknown'), 0, 0, 0, 0, 0, 0, sum(r.revenue)
    from money r
    left join members m on m.user_key = r.user_key
    left join profiles p on p.profile = m.profile
    where r.date >= $from and r.date < $to
    group by r.date, coalesce(p.country, 'unknown'), coalesce(p.gender, 'unknown')
),

-- One user may stand in several of these: they do not add up to the active users of the day.
session_days as (
    select date, 'platform' as dimension, platform as value, count(*) as active_users,
        0 as new_registrations, 0 as total_sessions, 0 as micros, 0 as closed_sessions
    from (select distinct date, user_key, platform from active)
    group by date, platform
    union all
    select date, 'app_version', app_version, count(*), 0, 0, 0, 0
    from (select distinct date, user_key, app_version from active)
    group by date, app_version
    union all
    select date, 'platform', platform, 0, 0, count(*), coalesce(sum(micros), 0), count(micros)
    from sessions
    group by date, platform
    union all
    select date, 'app_version', app_version, 0, 0, count(*), coalesce(sum(micros), 0), count(micros)
    from sessions
    group by date, app_version
    union all
    select date, 'platform', coalesce(signup_platform, 'unknown'), 0, count(*), 0, 0, 0
    from users
    where date >= $from and date < $to and not is_internal
    group by date, coalesce(signup_platform, 'unknown')
),

segments as (
    select date, 'country' as dimension, country as value, active_users, new_registrations, total_sessions, micros,
        closed_sessions, total_messages, total_revenue
    from by_user
    union all
    select date, 'gender', gender, active_users, new_registrations, total_sessions, micros, closed_sessions,
        total_messages, total_revenue
    from by_user
    union all
    -- Messages and revenue are not known by platform, registrations not by app version.
    select date, dimension, value, active_users, case when dimension = 'platform' then new_registrations end,
        total_sessions, micros, closed_sessions, null, null
    from session_days
)

select
    date,
    dimension,
    value,
    sum(active_users) as active_users,
    sum(new_registrations) as new_registrations,
    sum(total_sessions) as total_sessions,
    cast(sum(micros) as double) / 1000000 as session_seconds,
    sum(closed_sessions) as closed_sessions,
    sum(total_messages) as total_messages,
    cast(sum(total_revenue) as decimal(20, 2)) as total_revenue
from segments
group by date, dimension, value
order by date, dimension, value
