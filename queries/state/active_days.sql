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

-- Who had many sessions on a day has one row. Held, since three parts look at it.
merged as materialized (
    select date, user_key, platform, app_version, bool_or(goes_on) as goes_on
    from spans
    group by date, user_key, platform, app_version
),

-- Who is on the next day by such a span alone: the fewest, and not those who have a row there already.
carried as (
    select cast(date + interval '1 day' as date) as date, user_key, platform, app_version
    from merged
    where goes_on
)

select date, user_key, platform, app_version
from merged
where date >= $from
union all
select c.date, c.user_key, c.platform, c.app_version
from carried c
left anti join merged m
    on m.date = c.date
    and m.user_key = c.user_key
    and (m.platform is not distinct from c.platform)
    and (m.app_version is not distinct from c.app_version)
where c.date < $to
order by date, user_key, platform, app_version
