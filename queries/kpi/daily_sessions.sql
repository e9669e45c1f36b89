-- Sessions that started on each day, and how long the ended ones lasted.
-- implements: metrics.md 3, "total_sessions", "avg_session_duration"
-- reads: user_sessions, internal_users
-- grain: date
-- parameters: from, to

-- Durations are added as whole microseconds, so that the order of the rows cannot change a sum.
with durations as (
    select
        s.date,
        -- What is open, or ends before it starts, is -1 on the way, and has no length.
        nullif(
            least(greatest(cast(s.ended_at as bigint) - cast(s.started_at as bigint), -1), 86400000000),
            -1
        ) as micros
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= $from and s.date < $to
)

select
    date,
    count(*) as total_sessions,
    count(micros) as closed_sessions,
    cast(coalesce(sum(micros), 0) as double) / 1000000 as session_seconds,
    cast(sum(micros) as double) / 1000000 / count(micros) as avg_session_duration
from durations
group by date
order by date
