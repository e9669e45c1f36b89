-- Of the users who registered in each week, how many came back in that week and the 12 after it, and what they did.
-- implements: metrics.md 5, "Weekly cohorts"; 4, "Subscription purchase", "gross_revenue", "refunds"; 1, "Internal users"
-- reads: users, active_days, user_sessions, matches, payments, first_purchases, internal_users
-- grain: cohort_week, period_number
-- parameters: first_cohort, last_week, as_of, currency

-- Who belongs to which cohort: a user belongs to one.
with members as (
    select user_key, cast(date_trunc('week', date) as date) as cohort_week
    from users
    where date >= $first_cohort and date < $last_week + interval '7 days' and not is_internal
),

-- A week without registrations has no cohort.
cohorts as (
    select cohort_week, count(*) as cohort_size
    from members
    group by cohort_week
),

-- The cells whose week has begun; those of weeks to come do not stand.
cells as (
    select
        cohort_week,
        week,
        (cast(week as int) - cast(cohort_week as int)) / 7 as period_number,
        cohort_size,
        arrow_cast(week + interval '7 days', 'Timestamp(Microsecond, Some("UTC"))') > $as_of as is_partial
    from (
        select
            cohort_week,
            cohort_size,
            unnest(generate_series(
                cohort_week,
                least(cohort_week + interval '84 days', $last_week),
                interval '7 days'
            )) as week
        from cohorts
    )
    where arrow_cast(week, 'Timestamp(Microsecond, Some("UTC"))') < $as_of
),

-- Failed payments are no money; a refunded one was paid first. What a refund takes away counts in the week of the
-- refund, however old the payment is: each payment is read once, and stands on both its days. The condition on
-- either lets those of neither be skipped while they are read.
money as (
    select
        user_key,
        unnest(make_array(date, cast(refunded_at as date))) as date,
        unnest(make_array(
            cast(amount as decimal(20, 2)),
            cast(-coalesce(refunded_amount, amount) as decimal(20, 2))
        )) as revenue
    from payments
    where status in ('succeeded', 'refunded') and currency = $currency
        and (
            date >= $first_cohort and date < $last_week + interval '7 days'
            or cast(refunded_at as date) >= $first_cohort and cast(refunded_at as date) < $last_week + interval '7 days'
        )
),

-- All that anyone did, on rows that add up. Of a match both sides take part.
activity as (
    select user_key, date, 1 as active, 0 as sessions, 0 as matches, cast(0 as decimal(20, 2)) as revenue
    from active_days
    where date >= $first_cohort and date < $last_week + interval '7 days'
    union all
    select user_key, date, 0, 1, 0, 0
    from user_sessions
    where date >= $first_cohort and date < $last_week + interval '7 days'
    union all
    select unnest(make_array(m.user_a, m.user_b)), m.date, 0, 0, 1, 0
    from matches m
    left anti join internal_users a on a.user_key = m.user_a
    left anti join internal_users b on b.user_key = m.user_b
    where m.date >= $first_cohort and m.date < $last_week + interval '7 days'
    union all
    select user_key, date, 0, 0, 0, revenue
    from money
    where date >= $first_cohort and date < $last_week + interval '7 days'
),

-- By user once, so that one who came on several days of a week returned once.
user_weeks as (
    select
        m.cohort_week,
        cast(date_trunc('week', a.date) as date) as week,
        a.user_key,
        max(a.active) as returned,
        sum(a.sessions) as sessions,
        sum(a.matches) as matches,
        sum(a.revenue) as revenue
    from activity a
    join members m on m.user_key = a.user_key
    group by m.cohort_week, cast(date_trunc('week', a.date) as date), a.user_key
),

cohort_weeks as (
    select
        cohort_week,
        week,
        sum(returned) as returned,
        sum(sessions) as sessions,
        sum(matches) as matches,
        sum(revenue) as revenue
    from user_weeks
    group by cohort_week, week
),

-- In which week each buyer became one; whoever had bought before, in the first.
conversions as (
    select
        m.cohort_week,
        greatest(cast(date_trunc('week', f.paid_at) as date), m.cohort_week) as week,
        count(*) as buyers
    from members m
    join first_purchases f on f.user_key = m.user_key
    group by m.cohort_week, greatest(cast(date_trunc('week', f.paid_at) as date), m.cohort_week)
),

-- In the week of registration everyone was there, by definition.
measured as (
    select
        c.cohort_week,
        c.period_number,
        c.cohort_size,
        case when c.period_number = 0 then c.cohort_size else coalesce(w.returned, 0) end as users_returned,
        coalesce(w.sessions, 0) as sessions,
        coalesce(w.matches, 0) as matches,
        coalesce(w.revenue, 0) as revenue,
        sum(coalesce(v.buyers, 0)) over (partition by c.cohort_week order by c.week) as buyers,
        c.is_partial
    from cells c
    left join cohort_weeks w on w.cohort_week = c.cohort_week and w.week = c.week
    left join conversions v on v.cohort_week = c.cohort_week and v.week = c.week
)

select
    cohort_week,
    cast(period_number as bigint) as period_number,
    cohort_size,
    users_returned,
    case when not is_partial then cast(users_returned as double) * 100 / cohort_size end as retention_rate,
    cast(sessions as double) / cohort_size as avg_sessions_per_user,
    cast(matches as double) / cohort_size as avg_matches_per_user,
    cast(revenue as double) / cohort_size as avg_revenue_per_user,
    cast(buyers as double) * 100 / cohort_size as subscription_conversion_rate,
    is_partial
from measured
order by cohort_week, period_number
