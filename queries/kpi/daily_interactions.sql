-- Live interactions that started on each day, and the length of the video calls among them.
-- implements: metrics.md 3, "total_interactions", "total_video_calls", "avg_video_call_duration", "video_call_minutes"
-- reads: interactions, internal_users
-- grain: date
-- parameters: from, to

-- As with sessions: at most 24 hours, and no duration for one that ends before it starts.
with calls as (
    select
        x.date,
        x.kind,
        case
            when x.kind = 'video' and x.ended_at >= x.started_at
            then least(cast(x.ended_at as bigint) - cast(x.started_at as bigint), 86400000000)
        end as video_micros
    from interactions x
    left anti join internal_users a on a.user_key = x.initiator
    left anti join internal_users b on b.user_key = x.partner
    where x.date >= $from and x.date < $to
)

select
    date,
    count(*) as total_interactions,
    count(*) filter (where kind = 'video') as total_video_calls,
    cast(sum(video_micros) as double) / 1000000 / count(video_micros) as avg_video_call_duration,
    cast(coalesce(sum(video_micros), 0) as double) / 60000000 as video_call_minutes
from calls
group by date
order by date
