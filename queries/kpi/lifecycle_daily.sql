-- The active users of each day by what they did before, and those who stayed away since the day before.
-- implements: metrics.md 3, "Lifecycle"
-- reads: users, active_days, internal_users
-- grain: date
-- parameters: from, to, as_of

-- Each user's days as a set, so that a day and the one before it meet without a join: day 0 is the day before the first.
with users_days as materialized (
    select a.user_key, set_of(cast(cast(a.date as int) - cast(cast($from as date) as int) + 1 as bigint)) as days
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date >= $from - interval '1 day' and a.date < $to
    group by a.user_key
),

-- Who was there on a day or the day before it counts once in the second list.
counts as (
    select set_counts(days) as active, set_counts(set_spread(days, 2)) as active_or_before
    from users_days
),

-- Every day of the window has a row. The elements of a list are counted from 1.
calendar as (
    select
        cast(unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as date) as date,
        unnest(array_slice(active, 2, 65537)) as active,
        unnest(array_slice(active, 1, 65536)) as active_before,
        unnest(array_slice(active_or_before, 2, 65537)) as active_or_before
    from counts
),

days as (
    select
        date,
        coalesce(active, 0) as active,
        coalesce(active, 0) + coalesce(active_before, 0) - coalesce(active_or_before, 0) as active_on_both,
        coalesce(active_or_before, 0) - coalesce(active, 0) as dormant
    from calendar
    where date is not null
),

registered as (
    select date, user_key, cast(cast(date as int) - cast(cast($from as date) as int) + 1 as bigint) as day
    from users
    where date >= $from and date < $to and not is_internal
),

-- Whoever was active before they registered is new all the same.
newcomers as (
    select
        r.date,
        count(*) as new_active,
        count(*) filter (where set_has(u.days, r.day - 1)) as active_before
    from registered r
    join users_days u on u.user_key = r.user_key
    where set_has(u.days, r.day)
    group by r.date
)

select
    d.date,
    coalesce(n.new_active, 0) as new_active,
    d.active_on_both - coalesce(n.active_before, 0) as returning,
    d.active - coalesce(n.new_active, 0) - d.active_on_both + coalesce(n.active_before, 0) as resurrected,
    d.dormant,
    arrow_cast(d.date + interval '1 day', 'Timestamp(Microsecond, Some("UTC"))') > $as_of as is_partial
from days d
left join newcomers n on n.date = d.date
order by d.date
