with cohorts as (
    select user_key, date + age as date, age
    from users, (values (1), (7), (30)) ages(age)
    where date + age >= $from and date + age < $to and not is_internal
),

-- Whoever has registered is few beside all who are active.
counted as (
    select date, age, 1 as users, 0 as returned
    from cohorts
    union all
    select date, age, 0, 1
    from cohorts semi join (
        select date, user_key from active_days where date >= $from and date < $to
    ) using (date, user_key)
)

select
    date,
    coalesce(sum(users) filter (where age = 1), 0)::bigint,
    coalesce(sum(returned) filter (where age = 1), 0)::bigint,
    coalesce(sum(users) filter (where age = 7), 0)::bigint,
    coalesce(sum(returned) filter (where age = 7), 0)::bigint,
    coalesce(sum(users) filter (where age = 30), 0)::bigint,
    coalesce(sum(returned) filter (where age = 30), 0)::bigint
from counted
group by date
order by date
