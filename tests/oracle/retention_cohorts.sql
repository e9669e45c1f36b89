-- metrics.md 5, a cell at a time. {from}: the first cohort's Monday; {to}: the end of the last week.
select
    c.cohort as cohort_week,
    n as period_number,
    c.size as cohort_size,
    r.users as users_returned,
    case when w.closes <= {as_of} then r.users * 100.0 / c.size end as retention_rate,
    (
        select count(*) from oracle.sessions s where s.user_id = any (c.members) and s.day between w.day and w.day + 6
    ) * 1.0 / c.size as avg_sessions_per_user,
    (
        select coalesce(sum((m.user_a_id = any (c.members))::int + (m.user_b_id = any (c.members))::int), 0)
        from matches m
        where m.created_at >= w.opens and m.created_at < w.closes
            and not exists (select from oracle.staff where id in (m.user_a_id, m.user_b_id))
    ) * 1.0 / c.size as avg_matches_per_user,
    (
        select coalesce(sum(amount) filter (where day between w.day and w.day + 6), 0)
            - coalesce(sum(refund) filter (where refund_day between w.day and w.day + 6), 0)
        from oracle.paid where user_id = any (c.members)
    ) / c.size as avg_revenue_per_user,
    (
        select count(distinct user_id) from oracle.paid
        where kind = 'initial' and user_id = any (c.members) and paid_at < w.closes
    ) * 100.0 / c.size as subscription_conversion_rate,
    w.closes > {as_of} as is_partial
from (
    -- A week begins on its Monday.
    select born - (extract(isodow from born)::int - 1) as cohort, array_agg(id) as members, count(*) as size
    from oracle.people
    where born >= {from} and born < {to}
    group by 1
) c
cross join generate_series(0, 12) as n
cross join lateral (
    select c.cohort + 7 * n as day, (c.cohort + 7 * n)::timestamp at time zone 'UTC' as opens,
        (c.cohort + 7 * n + 7)::timestamp at time zone 'UTC' as closes
) w
cross join lateral (
    select case when n = 0 then c.size else count(distinct user_id) end as users
    from oracle.presence p
    where p.user_id = any (c.members) and p.day between w.day and w.day + 6
) r
where w.day < {to} and w.opens < {as_of}
