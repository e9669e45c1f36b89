with cohorts as (
    select user_key, date + age as date, age
    from users, (values (1), (7), (30)) ages(age)
    where date + age >= $from and date + age < $to and not is_internal
),

active as (select distinct date, user_key from active_days where date >= $from and date < $to)

select
    c.date,
    count(*) filter (where age = 1),
    count(a.user_key) filter (where age = 1),
    count(*) filter (where age = 7),
    count(a.user_key) filter (where age = 7),
    count(*) filter (where age = 30),
    count(a.user_key) filter (where age = 30)
from cohorts c
left join active a on a.user_key = c.user_key and a.date = c.date
group by c.date
order by c.date
