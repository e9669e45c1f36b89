-- The key figures of each day: every part on one row, zero where nothing happened, null where it cannot be known.
-- implements: metrics.md 1, "null is not zero", "A rate keeps its parts", "Partial"
-- reads: daily_active_users, daily_registrations, daily_sessions, daily_likes, daily_matches, daily_messages, daily_interactions, daily_revenue, daily_conversion, daily_retention, daily_safety
-- grain: date
-- parameters: from, to, as_of, moderation_to

with days as (
    select unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as date
),

counted as (
    select
        d.date,
        coalesce(au.total_active_users, 0) as total_active_users,
        coalesce(au.weekly_active_users, 0) as weekly_active_users,
        coalesce(au.monthly_active_users, 0) as monthly_active_users,
        coalesce(rg.new_registrations, 0) as new_registrations,
        coalesce(se.total_sessions, 0) as total_sessions,
        se.avg_session_duration,
        coalesce(se.closed_sessions, 0) as closed_sessions,
        coalesce(se.session_seconds, 0) as session_seconds,
        coalesce(li.total_likes, 0) as total_likes,
        coalesce(ma.total_matches, 0) as total_matches,
        coalesce(me.total_messages, 0) as total_messages,
        coalesce(it.total_interactions, 0) as total_interactions,
        coalesce(it.total_video_calls, 0) as total_video_calls,
        it.avg_video_call_duration,
        coalesce(it.video_call_minutes, 0) as video_call_minutes,
        coalesce(rv.gross_revenue, 0) as gross_revenue,
        coalesce(rv.refunds, 0) as refunds,
        coalesce(rv.subscription_purchases, 0) as subscription_purchases,
        coalesce(rv.first_subscriptions, 0) as first_subscriptions,
        coalesce(cv.active_non_subscribers, 0) as active_non_subscribers,
        coalesce(cv.converted_non_subscribers, 0) as converted_non_subscribers,
        coalesce(rt.retention_day1_cohort, 0) as retention_day1_cohort,
        coalesce(rt.retention_day1_returned, 0) as retention_day1_returned,
        coalesce(rt.retention_day7_cohort, 0) as retention_day7_cohort,
        coalesce(rt.retention_day7_returned, 0) as retention_day7_returned,
        coalesce(rt.retention_day30_cohort, 0) as retention_day30_cohort,
        coalesce(rt.retention_day30_returned, 0) as retention_day30_returned,
        coalesce(sa.total_reports, 0) as total_reports,
        coalesce(sa.total_moderation_actions, 0) as total_moderation_actions,
        -- Moderation was read to the end of the day, or as far into it as everything else.
        coalesce(
            $moderation_to >= least(
                arrow_cast(d.date + interval '1 day', 'Timestamp(Microsecond, Some("UTC"))'),
                $as_of
            ),
            false
        ) as moderation_known,
        arrow_cast(d.date + interval '1 day', 'Timestamp(Microsecond, Some("UTC"))') > $as_of as is_partial
    from days d
    left join daily_active_users au on au.date = d.date
    left join daily_registrations rg on rg.date = d.date
    left join daily_sessions se on se.date = d.date
    left join daily_likes li on li.date = d.date
    left join daily_matches ma on ma.date = d.date
    left join daily_messages me on me.date = d.date
    left join daily_interactions it on it.date = d.date
    left join daily_revenue rv on rv.date = d.date
    left join daily_conversion cv on cv.date = d.date
    left join daily_retention rt on rt.date = d.date
    left join daily_safety sa on sa.date = d.date
)

select
    date,
    total_active_users,
    weekly_active_users,
    monthly_active_users,
    new_registrations,
    total_sessions,
    avg_session_duration,
    closed_sessions,
    session_seconds,
    total_likes,
    total_matches,
    total_messages,
    total_interactions,
    total_video_calls,
    avg_video_call_duration,
    video_call_minutes,
    cast(gross_revenue as decimal(20, 2)) as gross_revenue,
    cast(refunds as decimal(20, 2)) as refunds,
    cast(gross_revenue - refunds as decimal(20, 2)) as total_revenue,
    subscription_purchases,
    first_subscriptions,
    active_non_subscribers,
    converted_non_subscribers,
    100.0 * converted_non_subscribers / nullif(active_non_subscribers, 0) as conversion_to_subscription,
    100.0 * retention_day1_returned / nullif(retention_day1_cohort, 0) as user_retention_day1,
    100.0 * retention_day7_returned / nullif(retention_day7_cohort, 0) as user_retention_day7,
    100.0 * retention_day30_returned / nullif(retention_day30_cohort, 0) as user_retention_day30,
    retention_day1_cohort,
    retention_day7_cohort,
    retention_day30_cohort,
    retention_day1_returned,
    retention_day7_returned,
    retention_day30_returned,
    case when moderation_known then total_reports end as total_reports,
    case when moderation_known then total_moderation_actions end as total_moderation_actions,
    is_partial
from counted
order by date
