select
    date,
    count(*),
    count(micros),
    coalesce(sum(micros), 0)::double / 1e6,
    sum(micros)::double / 1e6 / count(micros)
from (
    select
        date,
        case when ended_at >= started_at
            then least(epoch_us(ended_at) - epoch_us(started_at), 86400000000) end as micros
    from user_sessions anti join internal_users using (user_key)
    where date >= $from and date < $to
)
group by date
order by date
