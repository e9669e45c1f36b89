-- Money and subscriptions of each day, by plan and over all plans.
-- implements: metrics.md 4, "Per plan" to "active_at_end", and "customer_lifetime_value"; 1, "Partial"
-- reads: daily_plan_changes
-- grain: date, subscription_plan
-- parameters: from, to, as_of

-- Everything counts for its plan and for `all`, which has its rows before anything happens. A plan that is itself called
-- `all` stands as `plan all`.
with changes as (
    select
        date,
        unnest(make_array('all', case plan when 'all' then 'plan all' else plan end)) as subscription_plan,
        purchases, renewals, cancellations, churned, gross_revenue, refunds, running, mrr
    from daily_plan_changes
    where date < $to
    union all
    select $from, 'all', 0, 0, 0, 0, 0, 0, 0, 0
),

plans as (
    select
        subscription_plan,
        min(date) as first_date,
        min(date) filter (where purchases > 0) as first_purchase
    from changes
    group by subscription_plan
),

-- The lifetime value looks back on 180 days; what was before them opens their balances, on the day before them. From
-- there on, or from a plan's first day, every day stands, so that rows are days.
days as (
    select
        greatest(date, $from - interval '180 days') as date,
        subscription_plan,
        purchases, renewals, cancellations, churned, gross_revenue, refunds, running, mrr
    from changes
    union all
    select
        unnest(
            generate_series(
                greatest(first_date, $from - interval '180 days'), $to - interval '1 day', interval '1 day'
            )
        ),
        subscription_plan,
        0, 0, 0, 0, 0, 0, 0, 0
    from plans
),

summed as (
    select
        date,
        subscription_plan,
        sum(purchases) as purchases,
        sum(renewals) as renewals,
        sum(cancellations) as cancellations,
        sum(churned) as churned,
        sum(gross_revenue) as gross_revenue,
        sum(refunds) as refunds,
        sum(running) as running,
        sum(mrr) as mrr
    from days
    group by date, subscription_plan
),

balances as (
    select
        s.*,
        p.first_purchase,
        sum(running) over (partition by s.subscription_plan order by date) as active_at_end,
        sum(mrr) over (partition by s.subscription_plan order by date) as closing_mrr
    from summed s
    join plans p on p.subscription_plan = s.subscription_plan
),

-- Nothing runs before the first purchase, but something that was paid after its end may have ended before it.
trailing as (
    select
        *,
        active_at_end - running as active_at_start,
        date >= first_purchase + interval '27 days' as is_known,
        sum(case when date >= first_purchase then churned else 0 end) over last_180_days as trailing_churned,
        sum(active_at_end - running) over last_180_days as trailing_active
    from balances
    window last_180_days as (
        partition by subscription_plan order by date rows between 179 preceding and current row
    )
)

select
    date,
    subscription_plan,
    purchases as new_subscriptions,
    renewals as renewed_subscriptions,
    cancellations as canceled_subscriptions,
    churned as churned_subscriptions,
    active_at_start,
    active_at_end,
    cast(gross_revenue as decimal(20, 2)) as gross_revenue,
    cast(refunds as decimal(20, 2)) as refunds,
    cast(gross_revenue - refunds as decimal(20, 2)) as total_revenue,
    cast(closing_mrr as decimal(20, 6)) as monthly_recurring_revenue,
    cast(12 * closing_mrr as decimal(20, 6)) as annual_recurring_revenue,
    -- Null, too, while nothing runs, and when nothing ran or churned in the days that it looks back on.
    case when is_known then
        cast(closing_mrr * nullif(trailing_active, 0) as double)
        / nullif(30.4375 * active_at_end * trailing_churned, 0)
    end as customer_lifetime_value,
    100.0 * churned / nullif(active_at_start, 0) as churn_rate,
    arrow_cast(date + interval '1 day', 'Timestamp(Microsecond, Some("UTC"))') > $as_of as is_partial
from trailing
where date >= $from
order by date, subscription_plan
