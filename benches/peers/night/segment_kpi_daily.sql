-- The day by platform, app version, country and gender.
with
entries (user_id, platform, app_version, present, registered, session, seconds, message, revenue) as (
    select user_id, platform, app_version, user_id, 0, 0, null::float8, 0, null::numeric from present
    union all
    select user_id, platform, app_version, null, 0, 1, seconds, 0, null
    from sessions where started_at >= {start} and started_at < {end}
    union all
    select id, coalesce(signup_platform, 'unknown'), null, null, 1, 0, null, 0, null
    from users where created_at >= {start} and created_at < {end} and not is_internal
    union all
    select sender_id, null, null, null, 0, 0, null, 1, null
    from messages
    where created_at >= {start} and created_at < {end}
        and sender_id not in (select id from staff) and recipient_id not in (select id from staff)
    union all
    select user_id, null, null, null, 0, 0, null, 0, amount from paid where paid_at >= {start} and paid_at < {end}
    union all
    select user_id, null, null, null, 0, 0, null, 0, -refund
    from paid where refunded_at >= {start} and refunded_at < {end}
)
select
    {day} as date, dimension, value,
    count(distinct present) as active_users,
    case when dimension <> 'app_version' then sum(registered) end as new_registrations,
    sum(session) as total_sessions,
    coalesce(sum(seconds), 0) as session_seconds,
    count(seconds) as closed_sessions,
    case when dimension in ('country', 'gender') then sum(message) end as total_messages,
    case when dimension in ('country', 'gender') then coalesce(sum(revenue), 0) end as total_revenue
from entries e
left join users u on u.id = e.user_id
cross join lateral (
    values ('platform', platform), ('app_version', app_version), ('country', coalesce(u.country, 'unknown')),
        ('gender', coalesce(u.gender, 'unknown'))
) as d (dimension, value)
where value is not null
group by dimension, value
