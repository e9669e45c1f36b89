-- Sessions that are counted, but not as they stand.
-- implements: metrics.md 3, "A session whose ended_at lies before started_at"; 1, "Activity of a user without a users row"
-- reads: user_sessions, users
-- grain: check, date
-- parameters: from, to

with known as (
    select distinct user_key
    from users
),

days as (
    select
        s.date,
        count(*) as sessions,
        count(*) filter (where s.ended_at < s.started_at) as reversed,
        count(*) filter (where k.user_key is null) as strangers
    from user_sessions s
    left join known k on k.user_key = s.user_key
    where s.date >= $from and s.date < $to
    group by s.date
)

select
    'ended_before_it_began' as check,
    'unusable_rows' as alert_type,
    'user_sessions' as table_name,
    'ended_at' as column_name,
    cast(null as varchar) as dimension,
    cast(date as varchar) as bucket,
    case when reversed > 0 then 'violated' else 'passed' end as verdict,
    'medium' as severity,
    cast(reversed as varchar) || ' of ' || cast(sessions as varchar)
        || ' sessions end before they begin: they are counted without a duration' as message,
    0.0 as threshold,
    cast(reversed as double) as actual
from days
union all
select
    'user_is_known',
    'unusable_rows',
    'user_sessions',
    'user_key',
    null,
    cast(date as varchar),
    case when strangers > 0 then 'violated' else 'passed' end,
    case
        when strangers > 0.2 * sessions then 'critical'
        when strangers > 0.05 * sessions then 'high'
        when strangers > 0.01 * sessions then 'medium'
        else 'low'
    end,
    cast(strangers as varchar) || ' of ' || cast(sessions as varchar)
        || ' sessions are of users who are not in users: their segments are unknown',
    0.0,
    100.0 * strangers / sessions
from days
order by check, bucket
