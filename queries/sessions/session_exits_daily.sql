-- How the sessions that started on each day ended.
-- implements: metrics.md 3, "total_sessions", which they add up to; 1, "Internal users"
-- reads: user_sessions, internal_users
-- grain: date, exit_reason
-- parameters: from, to

-- Counted as they stand, before any gets another name: there are few reasons, and many sessions.
with counted as (
    select s.date, s.ended_at is null as is_open, s.exit_reason, count(*) as sessions
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= $from and s.date < $to
    group by s.date, s.ended_at is null, s.exit_reason
),

-- A session without an end is open, whatever reason was left with it. One that ended without a reason is `unknown`.
exits as (
    select date, case when is_open then 'open' else coalesce(exit_reason, 'unknown') end as exit_reason, sessions
    from counted
)

select date, exit_reason, sum(sessions) as sessions
from exits
group by date, exit_reason
order by date, exit_reason
