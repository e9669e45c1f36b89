-- How recurring revenue moved on each day on which it did.
-- implements: metrics.md 4, "MRR movements"
-- reads: daily_running_changes
-- grain: date
-- parameters:

-- A user's subscriptions count together: a change of plan within a day is one change, or none.
with changes as (
    select date, user_key, sum(mrr) as change
    from daily_running_changes
    group by date, user_key
    having sum(mrr) <> 0
),

balances as (
    select date, user_key, change, sum(change) over (partition by user_key order by date) as closing
    from changes
),

-- Whoever had recurring revenue at the end of any day before is not new.
histories as (
    select
        date,
        change,
        closing - change as opening,
        closing,
        coalesce(
            max(closing) over (partition by user_key order by date rows between unbounded preceding and 1 preceding),
            0
        ) > 0 as had_before
    from balances
),

movements as (
    select
        date,
        case
            when change > 0 and opening = 0 then case when had_before then 'reactivation' else 'new' end
            when change > 0 then 'expansion'
            when closing = 0 then 'churn'
            else 'contraction'
        end as movement,
        abs(change) as amount
    from histories
)

select
    date,
    cast(coalesce(sum(amount) filter (where movement = 'new'), 0) as decimal(20, 6)) as new,
    cast(coalesce(sum(amount) filter (where movement = 'reactivation'), 0) as decimal(20, 6)) as reactivation,
    cast(coalesce(sum(amount) filter (where movement = 'expansion'), 0) as decimal(20, 6)) as expansion,
    cast(coalesce(sum(amount) filter (where movement = 'contraction'), 0) as decimal(20, 6)) as contraction,
    cast(coalesce(sum(amount) filter (where movement = 'churn'), 0) as decimal(20, 6)) as churn
from movements
group by date
order by date
