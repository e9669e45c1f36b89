-- Registrations of each day.
-- implements: metrics.md 3, "new_registrations"
-- reads: users
-- grain: date
-- parameters: from, to

select date, count(*) as new_registrations
from users
where date >= $from and date < $to and not is_internal
group by date
order by date
