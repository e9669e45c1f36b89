with active as (
    select distinct date, user_key
    from active_days anti join internal_users using (user_key)
    where date >= $from - 1 and date < $to
),

present as (
    select
        t.date,
        count(r.user_key) as new_active,
        count(*) filter (where r.user_key is null and y.user_key is not null) as returning_users,
        count(*) filter (where r.user_key is null and y.user_key is null) as resurrected
    from active t
    left join (select date, user_key from users where date >= $from and date < $to and not is_internal) r
        on r.user_key = t.user_key and r.date = t.date
    left join active y on y.user_key = t.user_key and y.date + 1 = t.date
    where t.date >= $from
    group by t.date
),

absent as (
    select y.date + 1 as date, count(*) as dormant
    from active y
    anti join active t on t.user_key = y.user_key and t.date = y.date + 1
    where y.date < $to - 1
    group by y.date
)

select
    d.date,
    coalesce(new_active, 0),
    coalesce(returning_users, 0),
    coalesce(resurrected, 0),
    coalesce(dormant, 0),
    (d.date + 1)::timestamp > $as_of
from (select unnest(generate_series($from, $to - 1, interval 1 day))::date as date) d
left join present using (date)
left join absent using (date)
order by d.date
