with sessions as (
    select
        *,
        least(greatest(coalesce(ended_at, last_seen_at), started_at), started_at + interval 24 hours) as span_end
    from user_sessions anti join internal_users using (user_key)
    where date >= $from and date < $to
),

happenings as (
    select unnest([user_a, user_b]) as user_key, created_at as at, 1 as matches, 0 as messages
    from matches
    where date >= $from and date < $to + 1
        and user_a not in (from internal_users) and user_b not in (from internal_users)
    union all
    select sender, created_at, 0, 1
    from messages
    where date >= $from and date < $to + 1
        and sender not in (from internal_users) and recipient not in (from internal_users)
),

-- A day apart at most: joined by user and day, as there are many.
contents as (
    select session_id, sum(matches) as matches, sum(messages) as messages
    from (
        select session_id, user_key, date as day, started_at, span_end from sessions
        union all
        select session_id, user_key, date + 1, started_at, span_end from sessions where span_end::date > date
    ) s
    join happenings h on h.user_key = s.user_key and h.at::date = s.day and h.at between s.started_at and s.span_end
    group by session_id
)

select
    s.session_id,
    s.user_key,
    s.started_at,
    s.ended_at,
    case when s.ended_at >= s.started_at
        then least(epoch_us(s.ended_at) - epoch_us(s.started_at), 86400000000)::double / 1e6 end,
    t.screens_viewed::bigint,
    t.actions_taken::bigint,
    coalesce(c.matches, 0)::bigint,
    coalesce(c.messages, 0)::bigint,
    s.exit_reason,
    s.platform,
    s.app_version,
    s.country
from sessions s
left join (
    select session_id, screens_viewed, actions_taken from session_telemetry where date >= $from - 1 and date < $to + 1
) t using (session_id)
left join contents c using (session_id)
order by s.started_at, s.session_id
