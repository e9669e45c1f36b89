-- How recurring revenue moved between the day's midnights.
with people as (
    select user_id,
        coalesce(sum(monthly) filter (where paid_at < {start} and (ended_at is null or ended_at >= {start})), 0) as m0,
        coalesce(sum(monthly) filter (where paid_at < {end} and (ended_at is null or ended_at >= {end})), 0) as m1,
        -- Ran at the first midnight after it was paid, which was this day's first or an earlier one.
        bool_or(
            monthly > 0 and date_trunc('day', paid_at, 'UTC') + interval '1 day' <= least(ended_at, {start})
        ) as had_before
    from plans where paid_at is not null group by user_id
)
select
    {day} as date,
    coalesce(sum(m0), 0) as opening_mrr,
    coalesce(sum(m1) filter (where m0 = 0 and not had_before), 0) as new,
    coalesce(sum(m1) filter (where m0 = 0 and had_before), 0) as reactivation,
    coalesce(sum(m1 - m0) filter (where m0 > 0 and m1 > m0), 0) as expansion,
    coalesce(sum(m0 - m1) filter (where m1 > 0 and m0 > m1), 0) as contraction,
    coalesce(sum(m0) filter (where m0 > 0 and m1 = 0), 0) as churn,
    coalesce(sum(m1), 0) as closing_mrr
from people
