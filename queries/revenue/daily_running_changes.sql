-- By how much the running subscriptions of each user grew or shrank on each day, by plan.
-- implements: metrics.md 4, "running" and "monthly_recurring_revenue"
-- reads: subscription_spans
-- grain: date, user_key, plan
-- parameters:

-- Whatever is running at a day's end was paid by then, and ended later: it begins on the day of its purchase and is
-- gone on that of its end. One that had ended by the day of its purchase is running at the end of no day.
with lasting as (
    select user_key, plan, monthly_price, cast(paid_at as date) as first_day, cast(ended_at as date) as last_day
    from subscription_spans
    where ended_at is null or cast(ended_at as date) > cast(paid_at as date)
),

edges as (
    select first_day as date, user_key, plan, 1 as running, monthly_price as mrr
    from lasting
    union all
    select last_day, user_key, plan, -1, -monthly_price
    from lasting
    where last_day is not null
)

select
    date,
    user_key,
    plan,
    sum(running) as running,
    cast(sum(mrr) as decimal(20, 6)) as mrr
from edges
group by date, user_key, plan
order by date, user_key, plan
