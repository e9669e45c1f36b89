-- metrics.md 3 and 4, day by day. {from}, {to}: the days; {as_of}: the watermark.
select
    day as date,
    (select count(distinct user_id) from oracle.presence p where p.day = d.day) as total_active_users,
    (select count(distinct user_id) from oracle.presence p where p.day between d.day - 6 and d.day)
        as weekly_active_users,
    (select count(distinct user_id) from oracle.presence p where p.day between d.day - 29 and d.day)
        as monthly_active_users,
    (select count(*) from oracle.people where born = d.day) as new_registrations,
    s.total_sessions, s.avg_session_duration, s.closed_sessions, coalesce(s.session_seconds, 0) as session_seconds,
    (select count(*) from oracle.likes l where l.day = d.day) as total_likes,
    (
        select count(*) from matches m
        where m.created_at >= d.start and m.created_at < d.finish
            and m.user_a_id not in (select id from oracle.staff) and m.user_b_id not in (select id from oracle.staff)
    ) as total_matches,
    (select count(*) from oracle.messages m where m.day = d.day) as total_messages,
    (select count(*) from oracle.calls c where c.day = d.day) as total_interactions,
    v.total_video_calls, v.avg_video_call_duration, coalesce(v.seconds, 0) / 60 as video_call_minutes,
    g.gross_revenue, r.refunds, g.gross_revenue - r.refunds as total_revenue,
    g.subscription_purchases, f.first_subscriptions,
    c.active_non_subscribers, c.converted_non_subscribers,
    c.converted_non_subscribers * 100.0 / nullif(c.active_non_subscribers, 0) as conversion_to_subscription,
    r1.returned * 100.0 / nullif(r1.cohort, 0) as user_retention_day1,
    r7.returned * 100.0 / nullif(r7.cohort, 0) as user_retention_day7,
    r30.returned * 100.0 / nullif(r30.cohort, 0) as user_retention_day30,
    r1.cohort as retention_day1_cohort, r7.cohort as retention_day7_cohort, r30.cohort as retention_day30_cohort,
    r1.returned as retention_day1_returned, r7.returned as retention_day7_returned,
    r30.returned as retention_day30_returned,
    (
        select count(*) from reports r
        where r.created_at >= d.start and r.created_at < d.finish
            and not exists (select from oracle.staff where id in (r.reporter_id, r.reported_user_id))
    ) as total_reports,
    (
        select count(*) from moderation_actions a
        where a.created_at >= d.start and a.created_at < d.finish
            and not exists (select from oracle.staff where id = a.user_id)
    ) as total_moderation_actions,
    d.finish > {as_of} as is_partial
from (
    select n::date as day, n::timestamp at time zone 'UTC' as start,
        (n + interval '1 day')::timestamp at time zone 'UTC' as finish
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
) d
cross join lateral (
    select count(*) as total_sessions, avg(seconds) as avg_session_duration, count(seconds) as closed_sessions,
        sum(seconds) as session_seconds
    from oracle.sessions s where s.day = d.day
) s
cross join lateral (
    select count(*) as total_video_calls, avg(seconds) as avg_video_call_duration, sum(seconds) as seconds
    from oracle.calls c where c.day = d.day and kind = 'video'
) v
cross join lateral (
    select coalesce(sum(amount), 0) as gross_revenue, count(*) filter (where kind = 'initial') as subscription_purchases
    from oracle.paid p where p.day = d.day
) g
cross join lateral (select coalesce(sum(refund), 0) as refunds from oracle.paid p where p.refund_day = d.day) r
cross join lateral (
    select count(*) as first_subscriptions
    from (select min(day) as day from oracle.paid where kind = 'initial' group by user_id) firsts where firsts.day = d.day
) f
cross join lateral (
    select
        count(*) as active_non_subscribers,
        count(*) filter (
            where (select min(p.day) from oracle.paid p where p.user_id = a.user_id and p.kind = 'initial') = d.day
        ) as converted_non_subscribers
    from (select distinct user_id from oracle.presence p where p.day = d.day) a
    where not exists (
        select from oracle.subscriptions s
        where s.user_id = a.user_id and s.paid_at < d.start and (s.ended_at is null or s.ended_at >= d.start)
    )
) c
cross join lateral (
    select count(*) as cohort, count(*) filter (
        where exists (select from oracle.presence p where p.user_id = u.id and p.day = d.day)
    ) as returned
    from oracle.people u where u.born = d.day - 1
) r1
cross join lateral (
    select count(*) as cohort, count(*) filter (
        where exists (select from oracle.presence p where p.user_id = u.id and p.day = d.day)
    ) as returned
    from oracle.people u where u.born = d.day - 7
) r7
cross join lateral (
    select count(*) as cohort, count(*) filter (
        where exists (select from oracle.presence p where p.user_id = u.id and p.day = d.day)
    ) as returned
    from oracle.people u where u.born = d.day - 30
) r30
