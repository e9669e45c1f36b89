-- What happened in each session that started in the window.
-- implements: metrics.md 7, "session_analytics"; 3, "Session span"; 1, "Internal users"
-- reads: user_sessions, session_telemetry, matches, messages, internal_users
-- grain: session_id
-- parameters: from, to

-- The day is a duration, since an interval would ask the calendar for each row.
with sessions as (
    select
        s.session_id,
        s.user_key,
        s.date,
        s.started_at,
        s.ended_at,
        least(
            greatest(coalesce(s.ended_at, s.last_seen_at), s.started_at),
            s.started_at + arrow_cast(86400000000, 'Duration(Microsecond)')
        ) as span_end,
        s.exit_reason,
        s.platform,
        s.app_version,
        s.country
    from user_sessions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.date >= $from and s.date < $to
),

-- The app's own clock may put the start of a session on the day before or after.
telemetry as (
    select session_id, screens_viewed, actions_taken
    from session_telemetry
    where date >= $from - interval '1 day' and date < $to + interval '1 day'
),

-- The last spans reach into the day after the window. Hours are numbered from 1970 on: a row costs a division, where an
-- instant with its zone costs a look at the calendar.
happenings as (
    select user_key, at, cast(at as bigint) / 3600000000 as hour, matches, messages
    from (
        select unnest(make_array(m.user_a, m.user_b)) as user_key, m.created_at as at, 1 as matches, 0 as messages
        from matches m
        left anti join internal_users a on a.user_key = m.user_a
        left anti join internal_users b on b.user_key = m.user_b
        where m.date >= $from and m.date < $to + interval '1 day'
        union all
        select m.sender, m.created_at, 0, 1
        from messages m
        left anti join internal_users a on a.user_key = m.sender
        left anti join internal_users b on b.user_key = m.recipient
        where m.date >= $from and m.date < $to + interval '1 day'
    )
),

spans as (
    select
        session_id,
        user_key,
        started_at,
        span_end,
        cast(started_at as bigint) / 3600000000 as first_hour,
        cast(span_end as bigint) / 3600000000 as last_hour
    from sessions
),

-- A span meets few hours, and a user's hour few spans, so that they are joined by user and hour.
session_hours as (
    select session_id, user_key, started_at, span_end, first_hour as hour
    from spans
    union all
    select session_id, user_key, started_at, span_end, unnest(generate_series(first_hour + 1, last_hour))
    from spans
    where last_hour > first_hour
),

-- Both ends belong to the span. What lies in two sessions of one user counts in both.
contents as (
    select s.session_id, sum(h.matches) as matches, sum(h.messages) as messages
    from session_hours s
    join happenings h on h.user_key = s.user_key and h.hour = s.hour
    where h.at >= s.started_at and h.at <= s.span_end
    group by s.session_id
)

select
    s.session_id,
    s.user_key as user_id,
    s.started_at as session_start,
    s.ended_at as session_end,
    case
        when s.ended_at >= s.started_at
        then cast(least(cast(s.ended_at as bigint) - cast(s.started_at as bigint), 86400000000) as double) / 1000000
    end as session_duration,
    cast(t.screens_viewed as bigint) as screens_viewed,
    cast(t.actions_taken as bigint) as actions_taken,
    coalesce(c.matches, 0) as matches_in_session,
    coalesce(c.messages, 0) as messages_in_session,
    s.exit_reason,
    s.platform,
    s.app_version,
    s.country
from sessions s
left join telemetry t on t.session_id = s.session_id
left join contents c on c.session_id = s.session_id
order by s.started_at, s.session_id
