-- From when to when each paid subscription ran, and what it brought in a month.
-- implements: metrics.md 4, "running" and "monthly_recurring_revenue", and 1, "Money"
-- reads: subscriptions, payments, internal_users
-- grain: subscription_id
-- parameters: currency

-- A subscription runs from its first purchase; one that was never paid does not run.
with purchased as (
    select p.subscription_id, min(p.paid_at) as paid_at
    from payments p
    left anti join internal_users i on i.user_key = p.user_key
    where p.kind = 'initial' and p.status in ('succeeded', 'refunded') and p.currency = $currency
    group by p.subscription_id
),

-- An unknown interval is the plan's suffix; without one, a month.
billed as (
    select
        s.subscription_id,
        s.user_key,
        s.plan,
        s.price,
        case
            when s.billing_interval = 'week' then 52
            when s.billing_interval = 'month' then 12
            when s.billing_interval = 'quarter' then 4
            when s.billing_interval = 'half_year' then 2
            when s.billing_interval = 'year' then 1
            when ends_with(s.plan, '_weekly') then 52
            when ends_with(s.plan, '_monthly') then 12
            when ends_with(s.plan, '_quarterly') then 4
            when ends_with(s.plan, '_semiannual') then 2
            when ends_with(s.plan, '_annual') or ends_with(s.plan, '_yearly') then 1
            else 12
        end as times_a_year,
        p.paid_at,
        s.ended_at
    from subscriptions s
    join purchased p on p.subscription_id = s.subscription_id
    left anti join internal_users i on i.user_key = s.user_key
    where s.currency = $currency
)

-- A quotient of decimals is cut off four digits behind its dividend's: the cast to six rounds it, half away from zero.
select
    subscription_id,
    user_key,
    plan,
    cast(cast(price as decimal(20, 8)) * times_a_year / 12 as decimal(20, 6)) as monthly_price,
    paid_at,
    ended_at
from billed
order by subscription_id
