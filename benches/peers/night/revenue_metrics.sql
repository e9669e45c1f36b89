-- Money and subscriptions of every plan, and of all of them.
with
money as materialized (
    select p.*, case p.kind when 'one_off' then 'one_off' else coalesce(s.plan, 'unknown') end as plan
    from paid p
    left join subscriptions s
        on s.id = p.subscription_id and s.currency = 'USD' and s.user_id not in (select id from staff)
),
named as materialized (
    select plan, (min(first_purchase) at time zone 'UTC')::date as since
    from (
        select 'all' as plan, (select min(paid_at) from money where kind = 'initial') as first_purchase
        union all
        select plan, null from plans where started_at < {end}
        union all
        select plan, case kind when 'initial' then paid_at end from money where paid_at < {end}
    ) known
    group by plan
),
run as materialized (
    select plan, monthly, ended_at, paid_at from plans where paid_at is not null
    union all
    select 'all', monthly, ended_at, paid_at from plans where paid_at is not null
),
-- The lifetime value looks back on 180 days.
midnights as (
    select {day} - n as day, {start} - n * interval '1 day' as start, {end} - n * interval '1 day' as finish
    from generate_series(-1, 179) as n
),
standing as materialized (
    select r.plan, m.day,
        count(*) filter (where r.paid_at < m.start) as running,
        sum(r.monthly) filter (where r.paid_at < m.start) as mrr,
        count(*) filter (where r.ended_at >= m.start and r.ended_at < m.finish) as churned
    from midnights m
    join run r on r.paid_at < m.finish and (r.ended_at is null or r.ended_at >= m.start)
    group by r.plan, m.day
),
-- Since the plan's first purchase, where that is later.
past as (
    select n.plan, least({day} - n.since + 1, 180) as days, sum(s.churned) as churned, sum(s.running) as active
    from named n
    left join standing s on s.plan = n.plan and s.day <= {day} and s.day >= n.since
    group by n.plan, n.since
),
flow as (
    select name as plan,
        count(*) filter (where is_paid and kind = 'initial') as bought,
        count(*) filter (where is_paid and kind = 'renewal') as renewed,
        sum(amount) filter (where is_paid) as gross,
        sum(refund) filter (where is_refunded) as refunds
    from (
        select *, paid_at >= {start} and paid_at < {end} as is_paid,
            refunded_at >= {start} and refunded_at < {end} as is_refunded
        from money
        where paid_at >= {start} and paid_at < {end} or refunded_at >= {start} and refunded_at < {end}
    ) moved
    cross join lateral (values (plan), ('all')) as names (name)
    group by name
),
canceled as (
    select plan, count(*) as canceled from (
        select plan, canceled_at from plans union all select 'all', canceled_at from plans
    ) asked
    where canceled_at >= {start} and canceled_at < {end} group by plan
)
select
    {day} as date, n.plan as subscription_plan,
    coalesce(f.bought, 0) as new_subscriptions, coalesce(f.renewed, 0) as renewed_subscriptions,
    coalesce(c.canceled, 0) as canceled_subscriptions, coalesce(b.churned, 0) as churned_subscriptions,
    coalesce(b.running, 0) as active_at_start, coalesce(e.running, 0) as active_at_end,
    coalesce(f.gross, 0) as gross_revenue, coalesce(f.refunds, 0) as refunds,
    coalesce(f.gross, 0) - coalesce(f.refunds, 0) as total_revenue,
    coalesce(e.mrr, 0) as monthly_recurring_revenue, coalesce(e.mrr, 0) * 12 as annual_recurring_revenue,
    case when p.days >= 28 and p.churned > 0 and p.active > 0 and e.running > 0 then
        (e.mrr / e.running) / (30.4375 * p.churned / p.active)
    end as customer_lifetime_value,
    100.0 * coalesce(b.churned, 0) / nullif(b.running, 0) as churn_rate,
    {end} > now() as is_partial
from named n
join past p using (plan)
left join flow f using (plan)
left join canceled c using (plan)
left join standing b on b.plan = n.plan and b.day = {day}
left join standing e on e.plan = n.plan and e.day = {day} + 1
