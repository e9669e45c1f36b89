-- The active users of each day by what they did before, and those who stayed away since the day before.
-- implements: metrics.md 3, "Lifecycle"
-- reads: users, active_days, internal_users
-- grain: date
-- parameters: from, to, as_of

with days as (
    select unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as date
),

active as (
    select distinct a.date, a.user_key
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date >= $from - interval '1 day' and a.date < $to
),

registered as (
    select date, user_key
    from users
    where date >= $from and date < $to and not is_internal
),

present as (
    select
        t.date,
        count(r.user_key) as new_active,
        count(*) filter (where r.user_key is null and y.user_key is not null) as returning,
        count(*) filter (where r.user_key is null and y.user_key is null) as resurrected
    from active t
    left join registered r on r.user_key = t.user_key and r.date = t.date
    left join active y on y.user_key = t.user_key and y.date + interval '1 day' = t.date
    where t.date >= $from
    group by t.date
),

absent as (
    select y.date + interval '1 day' as date, count(*) as dormant
    from active y
    left anti join active t on t.user_key = y.user_key and t.date = y.date + interval '1 day'
    where y.date < $to - interval '1 day'
    group by y.date
)

select
    d.date,
    coalesce(p.new_active, 0) as new_active,
    coalesce(p.returning, 0) as returning,
    coalesce(p.resurrected, 0) as resurrected,
    coalesce(a.dormant, 0) as dormant,
    arrow_cast(d.date + interval '1 day', 'Timestamp(Microsecond, Some("UTC"))') > $as_of as is_partial
from days d
left join present p on p.date = d.date
left join absent a on a.date = d.date
order by d.date
