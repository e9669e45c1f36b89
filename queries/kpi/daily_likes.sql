-- Likes and super likes of each day.
-- implements: metrics.md 3, "total_likes"
-- reads: swipes, internal_users
-- grain: date
-- parameters: from, to

select s.date, count(*) as total_likes
from swipes s
left anti join internal_users a on a.user_key = s.user_key
left anti join internal_users b on b.user_key = s.target_user_key
where s.date >= $from and s.date < $to and s.action in ('like', 'super_like')
group by s.date
order by s.date
