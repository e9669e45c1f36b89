-- Of the users who registered 1, 7 and 30 days before each day, those who were active on it.
-- implements: metrics.md 3, "Retention of day N"
-- reads: users, active_days
-- grain: date
-- parameters: from, to

-- One branch an age, so that each reads the registrations of its own days alone.
with cohorts as (
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

active as (
    select distinct date, user_key
    from active_days
    where date >= $from and date < $to
)

select
    c.date,
    count(*) filter (where c.age = 1) as retention_day1_cohort,
    count(a.user_key) filter (where c.age = 1) as retention_day1_returned,
    count(*) filter (where c.age = 7) as retention_day7_cohort,
    count(a.user_key) filter (where c.age = 7) as retention_day7_returned,
    count(*) filter (where c.age = 30) as retention_day30_cohort,
    count(a.user_key) filter (where c.age = 30) as retention_day30_returned
from cohorts c
left join active a on a.user_key = c.user_key and a.date = c.date
group by c.date
order by c.date
