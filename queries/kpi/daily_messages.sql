-- Messages created on each day.
-- implements: metrics.md 3, "total_messages"
-- reads: messages, internal_users
-- grain: date
-- parameters: from, to

select m.date, count(*) as total_messages
from messages m
left anti join internal_users a on a.user_key = m.sender
left anti join internal_users b on b.user_key = m.recipient
where m.date >= $from and m.date < $to
group by m.date
order by m.date
