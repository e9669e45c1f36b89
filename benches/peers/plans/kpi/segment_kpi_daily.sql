with active as (
    select date, user_key, coalesce(platform, 'unknown') as platform, coalesce(app_version, 'unknown') as app_version
    from active_days anti join internal_users using (user_key)
    where date >= $from and date < $to
),

sessions as (
    select
        date,
        user_key,
        coalesce(platform, 'unknown') as platform,
        coalesce(app_version, 'unknown') as app_version,
        case when ended_at >= started_at
            then least(epoch_us(ended_at) - epoch_us(started_at), 86400000000) end as micros
    from user_sessions anti join internal_users using (user_key)
    where date >= $from and date < $to
),

paid as (
    select date, user_key, amount, refunded_at, refunded_amount
    from payments anti join internal_users using (user_key)
    where status in ('succeeded', 'refunded') and currency = $currency
),

user_days as (
    select distinct date, user_key, 1 as active, 0 as registered, 0 as sessions, 0 as micros, 0 as closed,
        0 as messages, 0::decimal(20, 2) as revenue
    from active
    union all
    select date, user_key, 0, 1, 0, 0, 0, 0, 0 from users where date >= $from and date < $to and not is_internal
    union all
    select date, user_key, 0, 0, count(*), coalesce(sum(micros), 0), count(micros), 0, 0 from sessions group by all
    union all
    select date, sender, 0, 0, 0, 0, 0, count(*), 0
    from messages
    where date >= $from and date < $to
        and sender not in (from internal_users) and recipient not in (from internal_users)
    group by all
    union all
    select date, user_key, 0, 0, 0, 0, 0, 0, amount from paid where date >= $from and date < $to
    union all
    select refunded_at::date, user_key, 0, 0, 0, 0, 0, 0, -coalesce(refunded_amount, amount)
    from paid
    where refunded_at::date >= $from and refunded_at::date < $to
),

-- By country and by gender in one pass.
of_users as (
    select
        date,
        case when grouping(country) = 0 then 'country' else 'gender' end as dimension,
        case when grouping(country) = 0 then country else gender end as value,
        sum(active) as active,
        sum(registered) as registered,
        sum(sessions) as sessions,
        sum(micros) as micros,
        sum(closed) as closed,
        sum(messages) as messages,
        sum(revenue) as revenue
    from (
        select d.*, coalesce(u.country, 'unknown') as country, coalesce(u.gender, 'unknown') as gender
        from user_days d left join users u on u.user_key = d.user_key
    )
    group by grouping sets ((date, country), (date, gender))
),

of_sessions as (
    select date, 'platform' as dimension, platform as value, count(distinct user_key) as active, 0 as registered,
        0 as sessions, 0 as micros, 0 as closed
    from active group by all
    union all
    select date, 'app_version', app_version, count(distinct user_key), 0, 0, 0, 0 from active group by all
    union all
    select date, 'platform', platform, 0, 0, count(*), coalesce(sum(micros), 0), count(micros)
    from sessions group by all
    union all
    select date, 'app_version', app_version, 0, 0, count(*), coalesce(sum(micros), 0), count(micros)
    from sessions group by all
    union all
    select date, 'platform', coalesce(signup_platform, 'unknown'), 0, count(*), 0, 0, 0
    from users where date >= $from and date < $to and not is_internal group by all
)

select
    date,
    dimension,
    value,
    sum(active)::bigint,
    sum(registered)::bigint,
    sum(sessions)::bigint,
    sum(micros)::double / 1e6,
    sum(closed)::bigint,
    sum(messages)::bigint,
    sum(revenue)::decimal(20, 2)
from (
    from of_users
    union all
    select date, dimension, value, active, case when dimension = 'platform' then registered end, sessions, micros,
        closed, null, null
    from of_sessions
)
group by date, dimension, value
order by date, dimension, value
