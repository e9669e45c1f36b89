-- Of the users active on each day without a paid subscription, those who bought their first one on it.
-- implements: metrics.md 3, "conversion_to_subscription"
-- reads: active_days, internal_users, subscription_spans, first_purchases
-- grain: date
-- parameters: from, to

with active as (
    select distinct a.date, a.user_key
    from active_days a
    left anti join internal_users i on i.user_key = a.user_key
    where a.date >= $from and a.date < $to
),

-- Running at the start of the day: paid before it, and not ended before it.
non_subscribers as (
    select a.date, a.user_key
    from active a
    left anti join subscription_spans s
        on s.user_key = a.user_key
        and cast(s.paid_at as date) < a.date
        and (s.ended_at is null or cast(s.ended_at as date) >= a.date)
)

select
    n.date,
    count(*) as active_non_subscribers,
    count(f.user_key) as converted_non_subscribers
from non_subscribers n
left join first_purchases f on f.user_key = n.user_key and cast(f.paid_at as date) = n.date
group by n.date
order by n.date
