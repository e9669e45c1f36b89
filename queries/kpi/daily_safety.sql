-- Reports and moderation actions of each day.
-- implements: metrics.md 3, "total_reports", "total_moderation_actions"
-- reads: reports, moderation_actions, internal_users
-- grain: date
-- parameters: from, to

with entries as (
    select r.date, 1 as report, 0 as action
    from reports r
    left anti join internal_users a on a.user_key = r.reporter_id
    left anti join internal_users b on b.user_key = r.reported_user_id
    where r.date >= $from and r.date < $to
    union all
    select m.date, 0, 1
    from moderation_actions m
    left anti join internal_users i on i.user_key = m.user_id
    where m.date >= $from and m.date < $to
)

select date, sum(report) as total_reports, sum(action) as total_moderation_actions
from entries
group by date
order by date
