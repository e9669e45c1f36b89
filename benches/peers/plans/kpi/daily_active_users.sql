-- Each active day of a user counts until the window is over or the next one takes over.
with active as (
    select distinct date, user_key
    from active_days anti join internal_users using (user_key)
    where date > $from - 30 and date < $to
),

pairs as (
    select date, next_date, count(*) as users
    from (select date, lead(date) over (partition by user_key order by date) as next_date from active)
    group by date, next_date
),

edges as (
    select date, users as daily, users as weekly, users as monthly from pairs
    union all
    select date + 1, -users, 0, 0 from pairs
    union all
    select least(date + 7, next_date), 0, -users, 0 from pairs
    union all
    select least(date + 30, next_date), 0, 0, -users from pairs
),

running as (
    select
        date,
        sum(sum(daily)) over past as daily,
        sum(sum(weekly)) over past as weekly,
        sum(sum(monthly)) over past as monthly
    from edges
    group by date
    window past as (order by date)
)

select date, daily::bigint, weekly::bigint, monthly::bigint
from running
where date >= $from and date < $to
order by date
