with members as (
    select user_key, date_trunc('week', date)::date as cohort
    from users
    where date >= $first_cohort and date < $last_week + 7 and not is_internal
),

cells as (
    select
        cohort,
        week::date as week,
        (week::date - cohort) // 7 as period,
        size,
        week + interval 7 days > $as_of as is_partial
    from (
        select cohort, size, unnest(generate_series(cohort, least(cohort + 84, $last_week), interval 7 days)) as week
        from (select cohort, count(*) as size from members group by cohort)
    )
    where week < $as_of
),

paid as (
    select * from payments where status in ('succeeded', 'refunded') and currency = $currency
),

activity as (
    select user_key, date, 1 as active, 0 as sessions, 0 as matches, 0::decimal(20, 2) as revenue
    from active_days where date >= $first_cohort and date < $last_week + 7
    union all
    select user_key, date, 0, 1, 0, 0 from user_sessions where date >= $first_cohort and date < $last_week + 7
    union all
    select unnest([user_a, user_b]), date, 0, 0, 1, 0
    from matches
    where date >= $first_cohort and date < $last_week + 7
        and user_a not in (from internal_users) and user_b not in (from internal_users)
    union all
    select user_key, date, 0, 0, 0, amount from paid where date >= $first_cohort and date < $last_week + 7
    union all
    select user_key, refunded_at::date, 0, 0, 0, -coalesce(refunded_amount, amount)
    from paid
    where refunded_at::date >= $first_cohort and refunded_at::date < $last_week + 7
),

weeks as (
    select
        cohort,
        week,
        sum(returned) as returned,
        sum(sessions) as sessions,
        sum(matches) as matches,
        sum(revenue) as revenue
    from (
        select
            cohort,
            date_trunc('week', date)::date as week,
            user_key,
            max(active) as returned,
            sum(sessions) as sessions,
            sum(matches) as matches,
            sum(revenue) as revenue
        from activity join members using (user_key)
        group by all
    )
    group by cohort, week
),

conversions as (
    select cohort, greatest(date_trunc('week', paid_at)::date, cohort) as week, count(*) as buyers
    from members join first_purchases using (user_key)
    group by all
)

select
    cohort,
    period,
    size,
    case when period = 0 then size else coalesce(returned, 0) end::bigint as came,
    case when not is_partial then came * 100.0 / size end,
    coalesce(sessions, 0)::double / size,
    coalesce(matches, 0)::double / size,
    coalesce(revenue, 0)::double / size,
    sum(coalesce(buyers, 0)) over (partition by cohort order by week)::double * 100 / size,
    is_partial
from cells
left join weeks using (cohort, week)
left join conversions using (cohort, week)
order by cohort, period
