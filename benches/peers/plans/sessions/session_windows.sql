with sessions as (
    select
        date,
        case when ended_at >= started_at
            then least(epoch_us(ended_at) - epoch_us(started_at), 86400000000) end as micros
    from user_sessions anti join internal_users using (user_key)
    where date >= $from - 89 and date < $to
),

frames as (
    select as_of::date as as_of, frame, days
    from generate_series($from, $to - 1, interval 1 day) dates(as_of),
        (values ('7d', 7), ('30d', 30), ('90d', 90)) f(frame, days)
)

select
    as_of,
    frame,
    count(*),
    sum(micros)::double / 1e6 / count(micros),
    quantile_cont(micros, 0.5) / 1e6,
    quantile_cont(micros, 0.9) / 1e6
from frames
join sessions on date > as_of - days and date <= as_of
group by as_of, frame
order by as_of, frame
