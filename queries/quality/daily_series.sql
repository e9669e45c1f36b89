-- The figures of complete days that are held against those of the same weekday before.
-- implements: metrics.md 8, "data_spike", "data_drop"
-- reads: daily_kpi_summaries, revenue_metrics
-- grain: table_name, column_name, dimension, bucket
-- parameters: from, to

-- Eight values of a weekday, and some weeks that may be missing between them.
with days as (
    select
        date,
        unnest(
            make_array(
                'total_active_users', 'new_registrations', 'total_sessions', 'total_likes', 'total_matches',
                'total_messages', 'total_interactions', 'total_video_calls', 'subscription_purchases',
                'avg_session_duration', 'total_revenue'
            )
        ) as column_name,
        unnest(
            make_array(
                cast(total_active_users as double), cast(new_registrations as double), cast(total_sessions as double),
                cast(total_likes as double), cast(total_matches as double), cast(total_messages as double),
                cast(total_interactions as double), cast(total_video_calls as double),
                cast(subscription_purchases as double), avg_session_duration, cast(total_revenue as double)
            )
        ) as value
    from daily_kpi_summaries
    where date >= $from - interval '112 days' and date < $to and not is_partial
),

plans as (
    select
        date,
        subscription_plan,
        unnest(make_array('new_subscriptions', 'churned_subscriptions', 'monthly_recurring_revenue')) as column_name,
        unnest(
            make_array(
                cast(new_subscriptions as double), cast(churned_subscriptions as double),
                cast(monthly_recurring_revenue as double)
            )
        ) as value
    from revenue_metrics
    where date >= $from - interval '112 days' and date < $to and not is_partial
)

select
    'daily_kpi_summaries' as table_name,
    column_name,
    cast(null as varchar) as dimension,
    cast(date as varchar) as bucket,
    cast(date_part('dow', date) as int) as slot,
    value,
    column_name not in ('avg_session_duration', 'total_revenue') as is_count,
    date >= $from as is_tested
from days
union all
select
    'revenue_metrics',
    column_name,
    subscription_plan,
    cast(date as varchar),
    cast(date_part('dow', date) as int),
    value,
    column_name <> 'monthly_recurring_revenue',
    date >= $from
from plans
order by table_name, column_name, dimension, bucket
