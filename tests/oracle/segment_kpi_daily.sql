-- metrics.md 3, "Segments": a row for every value that somebody was there, registered, wrote or paid with.
with
member as (
    select id, 'country' as dimension, country as value from oracle.people
    union all
    select id, 'gender', gender from oracle.people
),
-- Whoever has no row is unknown in both.
everyone as (
    select user_id from oracle.sessions union select sender_id from oracle.messages union select user_id from oracle.paid
    union select id from oracle.people
),
belongs as (
    select e.user_id, k.dimension, coalesce(m.value, 'unknown') as value
    from everyone e
    cross join (values ('country'), ('gender')) as k (dimension)
    left join member m on m.id = e.user_id and m.dimension = k.dimension
),
entries (day, dimension, value, present, registered, session, seconds, message, revenue) as (
    select p.day, 'platform', p.platform, p.user_id, null::uuid, null::uuid, null::numeric, 0, null::numeric
    from oracle.presence p
    union all
    select p.day, 'app_version', p.app_version, p.user_id, null, null, null, 0, null from oracle.presence p
    union all
    select p.day, b.dimension, b.value, p.user_id, null, null, null, 0, null
    from oracle.presence p join belongs b using (user_id)
    union all
    select born, 'platform', signup_platform, null, id, null, null, 0, null from oracle.people
    union all
    select born, b.dimension, b.value, null, id, null, null, 0, null
    from oracle.people p join belongs b on b.user_id = p.id
    union all
    select s.day, 'platform', s.platform, null, null, s.id, s.seconds, 0, null from oracle.sessions s
    union all
    select s.day, 'app_version', s.app_version, null, null, s.id, s.seconds, 0, null from oracle.sessions s
    union all
    select s.day, b.dimension, b.value, null, null, s.id, s.seconds, 0, null
    from oracle.sessions s join belongs b using (user_id)
    union all
    select m.day, b.dimension, b.value, null, null, null, null, 1, null
    from oracle.messages m join belongs b on b.user_id = m.sender_id
    union all
    select p.day, b.dimension, b.value, null, null, null, null, 0, p.amount from oracle.paid p join belongs b using (user_id)
    union all
    select p.refund_day, b.dimension, b.value, null, null, null, null, 0, -p.refund
    from oracle.paid p join belongs b using (user_id) where p.refund_day is not null
)
select
    day as date, dimension, value,
    count(distinct present) as active_users,
    case when dimension <> 'app_version' then count(distinct registered) end as new_registrations,
    count(distinct session) as total_sessions,
    coalesce(sum(seconds), 0) as session_seconds,
    count(seconds) as closed_sessions,
    case when dimension in ('country', 'gender') then sum(message) end as total_messages,
    case when dimension in ('country', 'gender') then coalesce(sum(revenue), 0) end as total_revenue
from entries
where day >= {from}::date and day < {to}::date
group by day, dimension, value
