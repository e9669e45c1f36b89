-- What happened on each day to each plan: its payments, and its subscriptions that began and ended.
-- implements: metrics.md 4, "gross_revenue" to "churned_subscriptions"; 1, "Money" and "Internal users"
-- reads: subscriptions, payments, internal_users, subscription_spans, daily_running_changes
-- grain: date, plan
-- parameters: currency

with subscribed as materialized (
    select s.date, s.subscription_id, s.plan, s.canceled_at
    from subscriptions s
    left anti join internal_users i on i.user_key = s.user_key
    where s.currency = $currency
),

-- Failed payments are no money; a refunded one was paid first. What was paid for a subscription that is not there, or
-- that has another currency, is of an unknown plan. All payments are read, and little is kept of them: a row for
-- each day, kind, plan and day of refund.
paid as materialized (
    select date, kind, plan, refund_date, count(*) as payments, sum(amount) as amount, sum(refund) as refund
    from (
        select
            p.date,
            case p.kind when 'initial' then 'purchase' when 'renewal' then 'renewal' else 'other payment' end as kind,
            case when p.kind = 'one_off' then 'one_off' else coalesce(s.plan, 'unknown') end as plan,
            p.amount,
            cast(p.refunded_at as date) as refund_date,
            coalesce(p.refunded_amount, p.amount) as refund
        from payments p
        left anti join internal_users i on i.user_key = p.user_key
        left join subscribed s on s.subscription_id = p.subscription_id
        where p.status in ('succeeded', 'refunded') and p.currency = $currency
    ) payment
    group by date, kind, plan, refund_date
),

-- Each thing on its own day, and how often. That a subscription was started changes nothing yet, but makes its plan
-- known.
happenings as (
    select date, plan, 'start' as what, 1 as times, cast(null as decimal(12, 2)) as amount
    from subscribed
    union all
    select cast(canceled_at as date), plan, 'cancellation', 1, null
    from subscribed
    where canceled_at is not null
    union all
    select cast(ended_at as date), plan, 'churn', 1, null
    from subscription_spans
    where ended_at is not null
    union all
    select date, plan, kind, payments, amount
    from paid
    union all
    select refund_date, plan, 'refund', payments, refund
    from paid
    where refund_date is not null
),

happened as (
    select
        date,
        plan,
        coalesce(sum(times) filter (where what = 'purchase'), 0) as purchases,
        coalesce(sum(times) filter (where what = 'renewal'), 0) as renewals,
        coalesce(sum(times) filter (where what = 'cancellation'), 0) as cancellations,
        coalesce(sum(times) filter (where what = 'churn'), 0) as churned,
        coalesce(sum(amount) filter (where what <> 'refund'), 0) as gross_revenue,
        coalesce(sum(amount) filter (where what = 'refund'), 0) as refunds
    from happenings
    group by date, plan
),

-- Purchases and ends are among the happenings: no change is without them.
changed as (
    select date, plan, sum(running) as running, sum(mrr) as mrr
    from daily_running_changes
    group by date, plan
)

select
    h.date,
    h.plan,
    h.purchases,
    h.renewals,
    h.cancellations,
    h.churned,
    cast(h.gross_revenue as decimal(20, 2)) as gross_revenue,
    cast(h.refunds as decimal(20, 2)) as refunds,
    coalesce(c.running, 0) as running,
    cast(coalesce(c.mrr, 0) as decimal(20, 6)) as mrr
from happened h
left join changed c on c.date = h.date and c.plan = h.plan
order by h.date, h.plan
