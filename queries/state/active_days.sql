-- Who was active on which day, with which platform and app version.
-- implements: metrics.md 3, "Session span" and "Active user"
-- reads: user_sessions
-- grain: date, user_key, platform, app_version
-- parameters: from, to

-- A span never lasts longer than 24 hours, so that a session reaches the day after its own at most.
with spans as (
    select
        date,
        user_key,
        platform,
        app_version,
        least(
            greatest(coalesce(ended_at, last_seen_at), started_at),
            started_at + interval '24 hours'
        ) as span_end
    from user_sessions
    where date >= $from - interval '1 day' and date < $to
),

-- The span is half-open: one that ends at midnight does not meet the day which begins there.
days as (
    select date, user_key, platform, app_version from spans
    union all
    select date + interval '1 day' as date, user_key, platform, app_version
    from spans
    where cast(span_end - interval '1 microsecond' as date) > date
)

select distinct date, user_key, platform, app_version
from days
where date >= $from and date < $to
order by date, user_key, platform, app_version
