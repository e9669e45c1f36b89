-- Days whose money contradicts itself: an empty answer is what publication waits for.
-- implements: metrics.md 8, "Identities are checked before anything is published"; 4, "MRR movements"
-- reads: revenue_metrics, mrr_movements_daily
-- grain: check, date
-- parameters:

-- Whatever happens or runs is of one plan, so that these add up over plans.
with measures as (
    select
        date,
        subscription_plan = 'all' as is_total,
        unnest(
            make_array(
                'purchases', 'renewals', 'cancellations', 'churned subscriptions', 'running at the start',
                'running at the end', 'gross revenue', 'refunds', 'revenue', 'recurring revenue'
            )
        ) as measure,
        unnest(
            make_array(
                new_subscriptions, renewed_subscriptions, canceled_subscriptions, churned_subscriptions, active_at_start,
                active_at_end, gross_revenue, refunds, total_revenue, monthly_recurring_revenue
            )
        ) as amount
    from revenue_metrics
),

-- Found against expected; a day that is in one of the tables only is wrong, whatever it holds.
compared as (
    select measure || ' of the plans add up to that of all' as check, date,
        coalesce(sum(amount) filter (where not is_total), 0) as found,
        sum(amount) filter (where is_total) as expected
    from measures
    group by date, measure
    union all
    select subscription_plan || ': revenue is gross less refunds', date, total_revenue, gross_revenue - refunds
    from revenue_metrics
    union all
    select subscription_plan || ': annual is twelve times recurring revenue', date,
        annual_recurring_revenue, 12 * monthly_recurring_revenue
    from revenue_metrics
    union all
    select n.subscription_plan || ': a day starts with what ran at the end of the day before', n.date,
        n.active_at_start, e.active_at_end
    from revenue_metrics n
    join revenue_metrics e on e.subscription_plan = n.subscription_plan and e.date = n.date - interval '1 day'
    union all
    select 'recurring revenue closes where its movements lead', date,
        closing_mrr, opening_mrr + new + reactivation + expansion - contraction - churn
    from mrr_movements_daily
    union all
    select 'recurring revenue opens as the day before closed', n.date, n.opening_mrr, e.closing_mrr
    from mrr_movements_daily n
    join mrr_movements_daily e on e.date = n.date - interval '1 day'
    union all
    select 'recurring revenue closes as that of all plans', coalesce(m.date, r.date),
        m.closing_mrr, r.monthly_recurring_revenue
    from mrr_movements_daily m
    full join (select date, monthly_recurring_revenue from revenue_metrics where subscription_plan = 'all') r
        on r.date = m.date
)

-- Counts and decimals are exact: no difference is small enough to mean nothing.
select check, date, cast(found as double) as found, cast(expected as double) as expected
from compared
where found is distinct from expected
order by check, date
