-- Matches created on each day, a pair counted once.
-- implements: metrics.md 3, "total_matches"
-- reads: matches, internal_users
-- grain: date
-- parameters: from, to

select m.date, count(*) as total_matches
from matches m
left anti join internal_users a on a.user_key = m.user_a
left anti join internal_users b on b.user_key = m.user_b
where m.date >= $from and m.date < $to
group by m.date
order by m.date
