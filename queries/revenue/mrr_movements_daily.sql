-- How recurring revenue moved from the start to the end of each day.
-- implements: metrics.md 4, "MRR movements"
-- reads: daily_mrr_changes
-- grain: date
-- parameters: from, to

-- Every day of the window has a row; the days before it open its balance.
with days as (
    select date, new, reactivation, expansion, contraction, churn
    from daily_mrr_changes
    where date < $to
    union all
    select unnest(generate_series($from, $to - interval '1 day', interval '1 day')), 0, 0, 0, 0, 0
),

moved as (
    select
        date,
        sum(new) as new,
        sum(reactivation) as reactivation,
        sum(expansion) as expansion,
        sum(contraction) as contraction,
        sum(churn) as churn
    from days
    group by date
),

balances as (
    select
        *,
        sum(new + reactivation + expansion - contraction - churn) over (order by date) as closing_mrr
    from moved
)

select
    date,
    cast(closing_mrr - (new + reactivation + expansion - contraction - churn) as decimal(20, 6)) as opening_mrr,
    cast(new as decimal(20, 6)) as new,
    cast(reactivation as decimal(20, 6)) as reactivation,
    cast(expansion as decimal(20, 6)) as expansion,
    cast(contraction as decimal(20, 6)) as contraction,
    cast(churn as decimal(20, 6)) as churn,
    cast(closing_mrr as decimal(20, 6)) as closing_mrr
from balances
where date >= $from
order by date
