-- Cohorts whose figures contradict each other: an empty answer is what publication waits for.
-- implements: metrics.md 8, "Identities are checked before anything is published", "returned ≤ cohort"
-- reads: retention_cohorts
-- grain: check, date
-- parameters:

-- Whoever has bought has bought in every later week too.
with cells as (
    select
        cohort_week,
        period_number,
        cohort_size,
        users_returned,
        is_partial,
        subscription_conversion_rate as conversion,
        lag(subscription_conversion_rate) over (partition by cohort_week order by period_number) as earlier
    from retention_cohorts
)

select
    'returned within the cohort in period ' || period_number as check,
    cohort_week as date,
    cast(users_returned as double) as found,
    cast(cohort_size as double) as expected
from cells
where users_returned > cohort_size
union all
select 'all of the cohort there in period 0', cohort_week, cast(users_returned as double), cast(cohort_size as double)
from cells
where period_number = 0 and not is_partial and users_returned <> cohort_size
union all
select 'buyers no fewer in period ' || period_number, cohort_week, conversion, earlier
from cells
where conversion < earlier
order by check, date
