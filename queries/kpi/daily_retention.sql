-- Of the users who registered 1, 7 and 30 days before each day, those who were active on it.
-- implements: metrics.md 3, "Retention of day N"
-- reads: users, active_days
-- grain: date
-- parameters: from, to

-- One branch an age, so that each reads the registrations of its own days alone.
with cohorts as materialized (
    select user_key, date + interval '1 day' as date, 1 as age
    from users
    where date >= $from - interval '1 day' and date < $to - interval '1 day' and not is_internal
    union all
    select user_key, date + interval '7 days', 7
    from users
    where date >= $from - interval '7 days' and date < $to - interval '7 days' and not is_internal
    union all
    select user_key, date + interval '30 days', 30
    from users
    where date >= $from - interval '30 days' and date < $to - interval '30 days' and not is_internal
),

-- Whoever has registered is few beside all who are active: those are looked up, and nobody is counted twice.
counted as (
    select date, age, 1 as users, 0 as returned
    from cohorts
    union all
    select c.date, c.age, 0, 1
    from cohorts c
    left semi join (
        select date, user_key
        from active_days
        where date >= $from and date < $to
    ) a on a.user_key = c.user_key and a.date = c.date
)

select
    date,
    coalesce(sum(users) filter (where age = 1), 0) as retention_day1_cohort,
    coalesce(sum(returned) filter (where age = 1), 0) as retention_day1_returned,
    coalesce(sum(users) filter (where age = 7), 0) as retention_day7_cohort,
    coalesce(sum(returned) filter (where age = 7), 0) as retention_day7_returned,
    coalesce(sum(users) filter (where age = 30), 0) as retention_day30_cohort,
    coalesce(sum(returned) filter (where age = 30), 0) as retention_day30_returned
from counted
group by date
order by date
