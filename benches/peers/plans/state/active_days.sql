with spans as (
    select
        date,
        user_key,
        platform,
        app_version,
        least(greatest(coalesce(ended_at, last_seen_at), started_at), started_at + interval 24 hours) as span_end
    from user_sessions
    where date >= $from - 1 and date < $to
)

select distinct date, user_key, platform, app_version
from (
    select date, user_key, platform, app_version from spans
    union all
    select date + 1, user_key, platform, app_version from spans where (span_end - interval 1 microsecond)::date > date
)
where date >= $from and date < $to
order by all
