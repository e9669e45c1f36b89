-- metrics.md 4, plan by plan: what runs is counted anew at every midnight.
with
money as materialized (
    select p.*, case p.kind when 'one_off' then 'one_off' else coalesce(s.plan, 'unknown') end as plan
    from oracle.paid p left join oracle.subscriptions s on s.id = p.subscription_id
),
named as materialized (
    select plan, min(since) as since, min(since) filter (where is_purchase) as first_purchase
    from (
        select 'all' as plan, '-infinity' as since, false as is_purchase
        union all select 'all', paid_at, true from money where kind = 'initial'
        union all select plan, started_at, false from oracle.subscriptions
        union all select plan, paid_at, kind = 'initial' from money
    ) known
    group by plan
),
-- As many days before the first as the lifetime value looks back on, and the midnight after the last.
midnights as (
    select {from}::date + n as day, ({from}::date + n)::timestamp at time zone 'UTC' as start,
        ({from}::date + n + 1)::timestamp at time zone 'UTC' as finish
    from generate_series(-180, {to}::date - {from}::date) as n
),
standing as materialized (
    select
        n.plan, m.day, m.start, m.finish, r.running, r.mrr,
        (
            select count(*) from oracle.subscriptions s
            where n.plan in (s.plan, 'all') and s.paid_at is not null and s.ended_at >= m.start and s.ended_at < m.finish
        ) as churned
    from named n
    cross join midnights m
    cross join lateral (
        select count(*) as running, coalesce(sum(s.monthly), 0) as mrr from oracle.subscriptions s
        where n.plan in (s.plan, 'all') and s.paid_at < m.start and (s.ended_at is null or s.ended_at >= m.start)
    ) r
)
select
    b.day as date,
    n.plan as subscription_plan,
    (select count(*) from money m where n.plan in (m.plan, 'all') and m.day = b.day and m.kind = 'initial')
        as new_subscriptions,
    (select count(*) from money m where n.plan in (m.plan, 'all') and m.day = b.day and m.kind = 'renewal')
        as renewed_subscriptions,
    (
        select count(*) from oracle.subscriptions s
        where n.plan in (s.plan, 'all') and s.canceled_at >= b.start and s.canceled_at < b.finish
    ) as canceled_subscriptions,
    b.churned as churned_subscriptions,
    b.running as active_at_start,
    e.running as active_at_end,
    g.gross as gross_revenue,
    r.refunds,
    g.gross - r.refunds as total_revenue,
    e.mrr as monthly_recurring_revenue,
    e.mrr * 12 as annual_recurring_revenue,
    case when c.days >= 28 and c.churned > 0 and c.active > 0 and e.running > 0 then
        (e.mrr / e.running) / (30.4375 * c.churned / c.active)
    end as customer_lifetime_value,
    100.0 * b.churned / nullif(b.running, 0) as churn_rate,
    b.finish > {as_of} as is_partial
from named n
join standing b on b.plan = n.plan and b.day >= {from} and b.day < {to} and n.since < b.finish
join standing e on e.plan = n.plan and e.day = b.day + 1
cross join lateral (
    select coalesce(sum(m.amount), 0) as gross from money m where n.plan in (m.plan, 'all') and m.day = b.day
) g
cross join lateral (
    select coalesce(sum(m.refund), 0) as refunds from money m where n.plan in (m.plan, 'all') and m.refund_day = b.day
) r
cross join lateral (
    select count(*) as days, sum(t.churned) as churned, sum(t.running) as active
    from standing t
    where t.plan = n.plan and t.day between b.day - 179 and b.day
        and t.day >= (n.first_purchase at time zone 'UTC')::date
) c
