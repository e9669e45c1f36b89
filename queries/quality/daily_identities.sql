-- Days whose figures contradict each other: an empty answer is what publication waits for.
-- implements: metrics.md 8, "Identities are checked before anything is published"
-- reads: daily_kpi_summaries, lifecycle_daily, segment_kpi_daily, session_exits_daily
-- grain: check, date
-- parameters:

-- Whatever is counted by its own session adds up over all dimensions. Users add up by country and gender only, since
-- they have one of each; messages and revenue are known by those alone, and registrations not by app version.
with dimensions as (
    select 'country' as dimension, true as of_user, true as of_registration
    union all
    select 'gender', true, true
    union all
    select 'platform', false, true
    union all
    select 'app_version', false, false
),

sums as (
    select
        date,
        dimension,
        sum(active_users) as active_users,
        sum(new_registrations) as new_registrations,
        sum(total_sessions) as total_sessions,
        sum(closed_sessions) as closed_sessions,
        sum(session_seconds) as session_seconds,
        sum(total_messages) as total_messages,
        sum(total_revenue) as total_revenue
    from segment_kpi_daily
    group by date, dimension
),

-- A day without any segment is held against zero.
segments as (
    select
        k.date,
        d.dimension,
        d.of_user,
        d.of_registration,
        coalesce(s.active_users, 0) as active_users,
        coalesce(s.new_registrations, 0) as new_registrations,
        coalesce(s.total_sessions, 0) as total_sessions,
        coalesce(s.closed_sessions, 0) as closed_sessions,
        coalesce(s.session_seconds, 0) as session_seconds,
        coalesce(s.total_messages, 0) as total_messages,
        coalesce(s.total_revenue, 0) as total_revenue
    from daily_kpi_summaries k
    cross join dimensions d
    left join sums s on s.date = k.date and s.dimension = d.dimension
),

exits as (
    select date, sum(sessions) as sessions
    from session_exits_daily
    group by date
),

compared as (
    select 'lifecycle adds up to active users' as check, k.date,
        cast(coalesce(l.new_active + l.returning + l.resurrected, 0) as double) as found,
        cast(k.total_active_users as double) as expected
    from daily_kpi_summaries k
    left join lifecycle_daily l on l.date = k.date
    union all
    select 'exits add up to sessions', k.date, cast(coalesce(e.sessions, 0) as double), cast(k.total_sessions as double)
    from daily_kpi_summaries k
    left join exits e on e.date = k.date
    union all
    select s.dimension || ' segments add up to active users', s.date,
        cast(s.active_users as double), cast(k.total_active_users as double)
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    where s.of_user
    union all
    select s.dimension || ' segments add up to registrations', s.date,
        cast(s.new_registrations as double), cast(k.new_registrations as double)
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    where s.of_registration
    union all
    select s.dimension || ' segments add up to sessions', s.date,
        cast(s.total_sessions as double), cast(k.total_sessions as double)
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    union all
    select s.dimension || ' segments add up to closed sessions', s.date,
        cast(s.closed_sessions as double), cast(k.closed_sessions as double)
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    union all
    select s.dimension || ' segments add up to session seconds', s.date,
        s.session_seconds, k.session_seconds
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    union all
    select s.dimension || ' segments add up to messages', s.date,
        cast(s.total_messages as double), cast(k.total_messages as double)
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    where s.of_user
    union all
    select s.dimension || ' segments add up to revenue', s.date,
        cast(s.total_revenue as double), cast(k.total_revenue as double)
    from segments s
    join daily_kpi_summaries k on k.date = s.date
    where s.of_user
),

-- The smaller figure of each pair may not exceed the larger.
bounded as (
    select 'daily within weekly active users' as check, date,
        total_active_users as found, weekly_active_users as expected
    from daily_kpi_summaries
    union all
    select 'weekly within monthly active users', date, weekly_active_users, monthly_active_users
    from daily_kpi_summaries
    union all
    select 'returned within the cohort of day 1', date, retention_day1_returned, retention_day1_cohort
    from daily_kpi_summaries
    union all
    select 'returned within the cohort of day 7', date, retention_day7_returned, retention_day7_cohort
    from daily_kpi_summaries
    union all
    select 'returned within the cohort of day 30', date, retention_day30_returned, retention_day30_cohort
    from daily_kpi_summaries
    union all
    select 'converted within non-subscribers', date, converted_non_subscribers, active_non_subscribers
    from daily_kpi_summaries
)

-- Counts differ by 1, money by 0.01; sums of seconds by less than that without meaning anything.
select check, date, found, expected
from compared
where abs(found - expected) > 0.005
union all
select check, date, cast(found as double), cast(expected as double)
from bounded
where found > expected
order by check, date
