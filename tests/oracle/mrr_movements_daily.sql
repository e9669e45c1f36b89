-- metrics.md 4, "MRR movements": every user's recurring revenue at both midnights of every day.
with users as (
    select d.day, d.start, u.user_id, m0.mrr as m0, m1.mrr as m1
    from (
        select n::date as day, n::timestamp at time zone 'UTC' as start,
            (n + interval '1 day')::timestamp at time zone 'UTC' as finish
        from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
    ) d
    cross join (select distinct user_id from oracle.subscriptions where paid_at is not null) u
    cross join lateral (
        select coalesce(sum(s.monthly), 0) as mrr from oracle.subscriptions s
        where s.user_id = u.user_id and s.paid_at < d.start and (s.ended_at is null or s.ended_at >= d.start)
    ) m0
    cross join lateral (
        select coalesce(sum(s.monthly), 0) as mrr from oracle.subscriptions s
        where s.user_id = u.user_id and s.paid_at < d.finish and (s.ended_at is null or s.ended_at >= d.finish)
    ) m1
),
-- Whoever ran something that cost anything at any midnight up to this day's first is not new.
known as (
    select *, exists (
        select from oracle.subscriptions s
        where s.user_id = u.user_id and s.monthly > 0
            and (date_trunc('day', s.paid_at at time zone 'UTC') + interval '1 day') at time zone 'UTC'
                <= least(coalesce(s.ended_at, 'infinity'), u.start)
    ) as had_before
    from users u
)
select
    day as date,
    sum(m0) as opening_mrr,
    coalesce(sum(m1) filter (where m0 = 0 and m1 > 0 and not had_before), 0) as new,
    coalesce(sum(m1) filter (where m0 = 0 and m1 > 0 and had_before), 0) as reactivation,
    coalesce(sum(m1 - m0) filter (where m0 > 0 and m1 > m0), 0) as expansion,
    coalesce(sum(m0 - m1) filter (where m1 > 0 and m0 > m1), 0) as contraction,
    coalesce(sum(m0) filter (where m0 > 0 and m1 = 0), 0) as churn,
    sum(m1) as closing_mrr
from known
group by day
