-- The platform's figures of the day.
with
ended as (
    select count(*) as total, avg(seconds) as mean, count(seconds) as closed, coalesce(sum(seconds), 0) as seconds
    from sessions where started_at >= {start} and started_at < {end}
),
calls as materialized (
    select kind,
        case when ended_at >= started_at then date_part('epoch', least(ended_at - started_at, interval '24 hours')) end
            as seconds
    from interactions
    where started_at >= {start} and started_at < {end}
        and initiator_id not in (select id from staff) and partner_id not in (select id from staff)
),
video as (
    select count(*) as total, avg(seconds) as mean, coalesce(sum(seconds), 0) / 60 as minutes
    from calls where kind = 'video'
),
money as (
    select coalesce(sum(amount), 0) as gross, count(*) filter (where kind = 'initial') as purchases
    from paid where paid_at >= {start} and paid_at < {end}
),
refunds as (select coalesce(sum(refund), 0) as refunds from paid where refunded_at >= {start} and refunded_at < {end}),
firsts as materialized (
    select user_id from paid where kind = 'initial' group by user_id
    having min(paid_at) >= {start} and min(paid_at) < {end}
),
chances as (
    select count(*) as people, count(f.user_id) as converted
    from today t left join firsts f using (user_id)
    where not exists (
        select from plans p
        where p.user_id = t.user_id and p.paid_at < {start} and (p.ended_at is null or p.ended_at >= {start})
    )
),
cohorts as (
    select
        count(*) filter (where age = 0) as registered,
        count(*) filter (where age = 1) as size1, count(user_id) filter (where age = 1) as back1,
        count(*) filter (where age = 7) as size7, count(user_id) filter (where age = 7) as back7,
        count(*) filter (where age = 30) as size30, count(user_id) filter (where age = 30) as back30
    from (
        select id, {day} - (created_at at time zone 'UTC')::date as age from users
        where created_at >= {start} - interval '30 days' and created_at < {end} and not is_internal
    ) people
    left join today on user_id = id
)
select
    {day} as date,
    (select count(*) from today) as total_active_users,
    (
        select count(*) from (
            select distinct user_id from sessions
            where started_at >= {start} - interval '7 days' and started_at < {end}
                and (finish > {start} - interval '6 days' or started_at >= {start} - interval '6 days')
        ) week
    ) as weekly_active_users,
    (
        select count(*) from (
            select distinct user_id from sessions
            where started_at >= {start} - interval '30 days' and started_at < {end}
                and (finish > {start} - interval '29 days' or started_at >= {start} - interval '29 days')
        ) month
    ) as monthly_active_users,
    c.registered as new_registrations,
    ended.total as total_sessions, ended.mean as avg_session_duration, ended.closed as closed_sessions,
    ended.seconds as session_seconds,
    (
        select count(*) from swipes
        where created_at >= {start} and created_at < {end} and action in ('like', 'super_like')
            and user_id not in (select id from staff) and target_user_id not in (select id from staff)
    ) as total_likes,
    (
        select count(*) from matches
        where created_at >= {start} and created_at < {end}
            and user_a_id not in (select id from staff) and user_b_id not in (select id from staff)
    ) as total_matches,
    (
        select count(*) from messages
        where created_at >= {start} and created_at < {end}
            and sender_id not in (select id from staff) and recipient_id not in (select id from staff)
    ) as total_messages,
    (select count(*) from calls) as total_interactions,
    video.total as total_video_calls, video.mean as avg_video_call_duration, video.minutes as video_call_minutes,
    money.gross as gross_revenue, refunds.refunds, money.gross - refunds.refunds as total_revenue,
    money.purchases as subscription_purchases, (select count(*) from firsts) as first_subscriptions,
    chances.people as active_non_subscribers, chances.converted as converted_non_subscribers,
    chances.converted * 100.0 / nullif(chances.people, 0) as conversion_to_subscription,
    back1 * 100.0 / nullif(size1, 0) as user_retention_day1, back7 * 100.0 / nullif(size7, 0) as user_retention_day7,
    back30 * 100.0 / nullif(size30, 0) as user_retention_day30,
    size1 as retention_day1_cohort, size7 as retention_day7_cohort, size30 as retention_day30_cohort,
    back1 as retention_day1_returned, back7 as retention_day7_returned, back30 as retention_day30_returned,
    (
        select count(*) from reports
        where created_at >= {start} and created_at < {end}
            and reporter_id not in (select id from staff) and reported_user_id not in (select id from staff)
    ) as total_reports,
    (
        select count(*) from moderation_actions
        where created_at >= {start} and created_at < {end} and user_id not in (select id from staff)
    ) as total_moderation_actions,
    {end} > now() as is_partial
from ended, video, money, refunds, chances, cohorts c
