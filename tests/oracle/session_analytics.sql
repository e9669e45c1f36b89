-- metrics.md 7, "session_analytics", by looking at each session alone. oracle.user_keys: the user key of every id.
select
    s.id as session_id,
    k.user_key as user_id,
    s.started_at as session_start,
    r.ended_at as session_end,
    s.seconds as session_duration,
    t.screens_viewed,
    t.actions_taken,
    (
        select count(*) from matches m
        where s.user_id in (m.user_a_id, m.user_b_id) and m.created_at between s.started_at and s.finish
            and not exists (select from oracle.staff where id in (m.user_a_id, m.user_b_id))
    ) as matches_in_session,
    (
        select count(*) from messages m
        where m.sender_id = s.user_id and m.created_at between s.started_at and s.finish
            and m.recipient_id not in (select id from oracle.staff)
    ) as messages_in_session,
    r.exit_reason,
    r.platform,
    r.app_version,
    r.country
from oracle.sessions s
join user_sessions r using (id)
join oracle.user_keys k on k.id = s.user_id
left join session_telemetry t on t.session_id = s.id
where s.day >= {from} and s.day < {to}
