-- How the sessions that started on each day ended.
-- implements: metrics.md 3, "total_sessions", which they add up to; 1, "Internal users"
-- reads: user_sessions, internal_users
-- grain: date, exit_reason
-- parameters: from, to

-- A session without an end is open, whatever reason was left with it. One that ended without a reason is `unknown`.
with exits as (
    select
        s.date,
        case when s.ended_at is null then 'open' else coalesce(s.exit_reason, 'unknown') end as exit_reason
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= $from and s.date < $to
)

select date, exit_reason, count(*) as sessions
from exits
group by date, exit_reason
order by date, exit_reason
