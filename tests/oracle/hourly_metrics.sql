-- metrics.md 7, "hourly_metrics". A peak is found where it must be: as the hour begins, or as somebody comes.
with calls as (
    select started_at, least(coalesce(ended_at, {as_of}), started_at + interval '24 hours') as finish
    from interactions
    where not exists (select from oracle.staff where id in (initiator_id, partner_id))
),
queue as (
    select joined_at, least(coalesce(left_at, {as_of}), joined_at + interval '24 hours') as finish
    from matching_queue
    where user_id not in (select id from oracle.staff)
)
select
    h.opens as "timestamp",
    (
        select max(there.users)
        from (
            select h.opens as instant
            union select started_at from oracle.sessions where started_at >= h.opens and started_at < h.closes
        ) moment
        cross join lateral (
            select count(distinct user_id) as users from oracle.sessions s
            -- No span is longer than a day.
            where s.started_at between h.opens - interval '24 hours' and moment.instant and s.finish > moment.instant
        ) there
    ) as concurrent_users,
    (
        select count(distinct user_id) from oracle.sessions
        where started_at >= h.opens - interval '24 hours' and started_at < h.closes
            and (finish > h.opens or started_at >= h.opens)
    ) as active_users,
    (
        select count(*) from calls where started_at < h.closes and (finish > h.opens or started_at >= h.opens)
    ) as active_interactions,
    (
        select max(there.waiting)
        from (
            select h.opens as instant union select joined_at from queue where joined_at >= h.opens and joined_at < h.closes
        ) moment
        cross join lateral (
            select count(*) as waiting from queue q where q.joined_at <= moment.instant and q.finish > moment.instant
        ) there
    ) as queue_length,
    (select count(*) from oracle.people where created_at >= h.opens and created_at < h.closes) as new_users,
    (select count(*) from calls where started_at >= h.opens and started_at < h.closes) as new_interactions,
    (
        select count(*) from messages
        where created_at >= h.opens and created_at < h.closes
            and not exists (select from oracle.staff where id in (sender_id, recipient_id))
    ) as new_messages,
    h.closes > {as_of} as is_partial
from (
    select n at time zone 'UTC' as opens, (n + interval '1 hour') at time zone 'UTC' as closes
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 hour', interval '1 hour') as n
) h
where h.opens < {as_of}
