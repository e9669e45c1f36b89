-- How the sessions that started on each day ended.
-- implements: metrics.md 3, "total_sessions", which they add up to; 1, "Internal users"
-- reads: user_sessions, internal_users
-- grain: date, exit_reason
-- parameters: from, to

-- Counted as they stand, before a reason is renamed: there are few reasons, and many sessions.
with counted as materialized (
    select s.date, s.exit_reason, count(*) as sessions, count(s.ended_at) as ended
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= $from and s.date < $to
    group by s.date, s.exit_reason
),

-- A session without an end is open, whatever reason was left with it. One that ended without a reason is `unknown`.
exits as (
    select date, coalesce(exit_reason, 'unknown') as exit_reason, ended as sessions
    from counted
    where ended > 0
    union all
    select date, 'open', sessions - ended
    from counted
    where sessions > ended
)

select date, exit_reason, sum(sessions) as sessions
from exits
group by date, exit_reason
order by date, exit_reason
