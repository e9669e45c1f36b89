-- Who was active on which day, with which platform and app version.
-- implements: metrics.md 3, "Session span" and "Active user"
-- reads: user_sessions
-- grain: date, user_key, platform, app_version
-- parameters: from, to

-- A span never lasts longer than 24 hours, so that a session reaches the day after its own at most. It is half-open: one
-- that ends at midnight does not meet the day which begins there. In microseconds, since sessions are many.
with spans as (
    select
        date,
        user_key,
        platform,
        app_version,
        least(
            greatest(cast(coalesce(ended_at, last_seen_at) as bigint), cast(started_at as bigint)),
            cast(started_at as bigint) + 86400000000
        ) > (cast(cast(date as int) as bigint) + 1) * 86400000000 as goes_on
    from user_sessions
    where date >= $from - interval '1 day' and date < $to
),

-- Who had many sessions on a day is looked at once.
merged as (
    select date, user_key, platform, app_version, bool_or(goes_on) as goes_on
    from spans
    group by date, user_key, platform, app_version
),

days as (
    select
        unnest(case when goes_on then make_array(date, cast(date + interval '1 day' as date)) else make_array(date) end)
            as date,
        user_key,
        platform,
        app_version
    from merged
)

select distinct date, user_key, platform, app_version
from days
where date >= $from and date < $to
order by date, user_key, platform, app_version
