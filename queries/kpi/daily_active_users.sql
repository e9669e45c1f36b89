-- Active users of each day, and of the 7 and the 30 days that end with it.
-- implements: metrics.md 3, "total_active_users", "weekly_active_users", "monthly_active_users"
-- reads: active_days, internal_users
-- grain: date
-- parameters: from, to

with active as (
    select distinct a.date, a.user_key
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date > $from - interval '30 days' and a.date < $to
),

-- An active day counts its user for as many days as the window is long, or until the next active day takes over:
-- so each user is counted once a day, and no row is multiplied. A null, where none follows, is never the least.
coverage as (
    select date, lead(date) over (partition by user_key order by date) as next_date
    from active
),

-- Few pairs of days, however many users.
pairs as (
    select
        unnest(make_array('came', 'day over', 'week over', 'month over')) as edge,
        date,
        next_date,
        count(*) as users
    from coverage
    group by date, next_date
),

edges as (
    select
        case edge
            when 'came' then date
            when 'day over' then date + interval '1 day'
            when 'week over' then least(date + interval '7 days', next_date)
            else least(date + interval '30 days', next_date)
        end as date,
        case edge when 'came' then users when 'day over' then -users else 0 end as daily,
        case edge when 'came' then users when 'week over' then -users else 0 end as weekly,
        case edge when 'came' then users when 'month over' then -users else 0 end as monthly
    from pairs
    union all
    -- Every day of the window has a row, whether anyone came or went on it or not.
    select unnest(generate_series($from, $to - interval '1 day', interval '1 day')), 0, 0, 0
),

steps as (
    select date, sum(daily) as daily, sum(weekly) as weekly, sum(monthly) as monthly
    from edges
    group by date
),

running as (
    select
        date,
        sum(daily) over (order by date) as total_active_users,
        sum(weekly) over (order by date) as weekly_active_users,
        sum(monthly) over (order by date) as monthly_active_users
    from steps
)

select date, total_active_users, weekly_active_users, monthly_active_users
from running
where date >= $from and date < $to
order by date
