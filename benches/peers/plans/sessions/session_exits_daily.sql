select date, case when ended_at is null then 'open' else coalesce(exit_reason, 'unknown') end as reason, count(*)
from user_sessions anti join internal_users using (user_key)
where date >= $from and date < $to
group by date, reason
order by date, reason
