-- Active users of a day, and of the 7 and the 30 days that end with it, counted from sessions. A span is half-open,
-- and never longer than 24 hours.
with spans as (
    select
        date,
        user_key,
        least(greatest(coalesce(ended_at, last_seen_at), started_at), started_at + interval 24 hours) as span_end
    from user_sessions anti join internal_users using (user_key)
    where date between $from - 30 and $from
)

select
    $from as date,
    count(distinct user_key) filter (where date >= $from or span_end > $start),
    count(distinct user_key) filter (where date >= $from - 6 or span_end > $start - interval 6 days),
    count(distinct user_key) filter (where date >= $from - 29 or span_end > $start - interval 29 days)
from spans
