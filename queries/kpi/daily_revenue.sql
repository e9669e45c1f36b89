-- Revenue, refunds and subscription purchases of each day, in the reporting currency.
-- implements: metrics.md 4, "gross_revenue", "refunds", "Subscription purchase", "first_subscriptions"
-- reads: payments, first_purchases, internal_users
-- grain: date
-- parameters: from, to, currency

-- Failed payments are no money; a refunded one was paid first.
with paid as (
    select
        p.date,
        p.user_key,
        p.payment_id,
        p.kind,
        p.paid_at,
        p.amount,
        p.refunded_at,
        p.refunded_amount
    from payments p
    left anti join internal_users i on i.user_key = p.user_key
    where p.status in ('succeeded', 'refunded') and p.currency = $currency
),

-- Of two purchases at the same instant, which are of the same date, one is the first.
purchases as (
    select
        p.date,
        p.paid_at = f.paid_at
            and row_number() over (partition by p.user_key order by p.paid_at, p.payment_id) = 1 as is_first
    from paid p
    left join first_purchases f on f.user_key = p.user_key
    where p.kind = 'initial' and p.date >= $from and p.date < $to
),

movements as (
    select date, amount as gross, cast(0 as decimal(12, 2)) as refund, 0 as purchase, 0 as first_purchase
    from paid
    where date >= $from and date < $to
    union all
    select cast(refunded_at as date), cast(0 as decimal(12, 2)), coalesce(refunded_amount, amount), 0, 0
    from paid
    where cast(refunded_at as date) >= $from and cast(refunded_at as date) < $to
    union all
    select date, cast(0 as decimal(12, 2)), cast(0 as decimal(12, 2)), 1, case when is_first then 1 else 0 end
    from purchases
)

select
    date,
    sum(gross) as gross_revenue,
    sum(refund) as refunds,
    sum(purchase) as subscription_purchases,
    sum(first_purchase) as first_subscriptions
from movements
group by date
order by date
