-- Active users of each day, and of the 7 and the 30 days that end with it.
-- implements: metrics.md 3, "total_active_users", "weekly_active_users", "monthly_active_users"
-- reads: active_days, internal_users
-- grain: date
-- parameters: from, to

-- Each user's days as a set, so that no row is multiplied by the windows it lies in: day 0 is the first that the 30
-- days of the first day reach back to.
with users as (
    select a.user_key, set_of(cast(cast(a.date as int) - cast(cast($from as date) as int) + 29 as bigint)) as days
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date > $from - interval '30 days' and a.date < $to
    group by a.user_key
),

-- Who was active on a day is active in the windows that end with it and with the days after it.
counts as (
    select
        set_counts(days) as daily,
        set_counts(set_spread(days, 7)) as weekly,
        set_counts(set_spread(days, 30)) as monthly
    from users
),

-- Every day of the window has a row. The lists end with the last day that anyone was there, or go on beyond the window;
-- their elements are counted from 1.
days as (
    select
        unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as date,
        unnest(array_slice(daily, 30, 65566)) as daily,
        unnest(array_slice(weekly, 30, 65566)) as weekly,
        unnest(array_slice(monthly, 30, 65566)) as monthly
    from counts
)

select
    cast(date as date) as date,
    coalesce(daily, 0) as total_active_users,
    coalesce(weekly, 0) as weekly_active_users,
    coalesce(monthly, 0) as monthly_active_users
from days
where date is not null
order by date
