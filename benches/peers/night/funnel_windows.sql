-- The funnel of 7, 30 and 90 entry dates, for every day whose entry dates are not mature yet.
select
    'onboarding' as funnel_name, n::date as as_of, t.days || 'd' as timeframe, s as step_order,
    count(o.step) as total_users,
    case when s < 8 then count(o.seconds) end as converted_users,
    avg(o.seconds) as avg_time_to_convert,
    percentile_cont(0.5) within group (order by o.seconds) as median_time_to_convert,
    percentile_cont(0.9) within group (order by o.seconds) as p90_time_to_convert
from generate_series({day} - interval '13 days', {day}, interval '1 day') as n
cross join (values (7), (30), (90)) as t (days)
cross join generate_series(1, 8) as s
left join steps o on o.step = s and o.day between n::date - t.days + 1 and n::date
group by n, t.days, s
