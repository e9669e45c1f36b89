-- From when to when each paid subscription ran.
-- implements: metrics.md 4, "running", and 1, "Money"
-- reads: subscriptions, payments, internal_users
-- grain: subscription_id
-- parameters: currency

-- A subscription runs from its first purchase; one that was never paid does not run.
with purchased as (
    select subscription_id, min(paid_at) as paid_at
    from payments
    where kind = 'initial' and status in ('succeeded', 'refunded') and currency = $currency
    group by subscription_id
)

select s.subscription_id, s.user_key, p.paid_at, s.ended_at
from subscriptions s
join purchased p on p.subscription_id = s.subscription_id
left anti join internal_users i on i.user_key = s.user_key
where s.currency = $currency
order by s.subscription_id
