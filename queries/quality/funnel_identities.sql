-- Funnels whose steps contradict each other: an empty answer is what publication waits for.
-- implements: metrics.md 8, "funnel monotone"
-- reads: conversion_funnels, funnel_windows
-- grain: check, date
-- parameters:

-- Both tables say the same of their own period.
with steps as (
    select funnel_name || ' funnel' as funnel, date, step_order, total_users, converted_users
    from conversion_funnels
    union all
    select funnel_name || ' funnel over ' || timeframe, as_of, step_order, total_users, converted_users
    from funnel_windows
),

pairs as (
    select
        s.funnel || ', step ' || cast(s.step_order as varchar) as step,
        s.date,
        s.total_users,
        s.converted_users,
        n.total_users as next_users
    from steps s
    left join steps n on n.funnel = s.funnel and n.date = s.date and n.step_order = s.step_order + 1
)

select step || ': the next has no more users' as check, date, cast(next_users as double) as found,
    cast(total_users as double) as expected
from pairs
where next_users > total_users
union all
-- The last step converts nobody: null, not zero.
select step || ': who went on is who reached the next', date, cast(converted_users as double),
    cast(next_users as double)
from pairs
where converted_users is distinct from next_users
order by check, date
