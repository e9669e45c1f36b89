select date, count(*)
from messages
where date >= $from and date < $to
    and sender not in (from internal_users) and recipient not in (from internal_users)
group by date
order by date
