-- The same as conversion_funnels over the 7, 30 and 90 entry dates that end with each date: percentiles do not add.
-- implements: metrics.md 6, "total_users", "median_time_to_convert", and 1, "Percentiles"
-- reads: funnel_people, funnel_steps
-- grain: funnel_name, as_of, timeframe, step_order
-- parameters: from, to, funnel_name

-- A window without entries has its rows too.
with steps as (
    select step_order, as_of, unnest(make_array(7, 30, 90)) as days
    from (
        select step_order, unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as as_of
        from (select distinct step_order from funnel_steps) s
    ) dated
),

people as (
    select date, seconds, unnest(generate_series(1, reached)) as step_order
    from funnel_people
    where date > $from - interval '90 days' and date < $to and funnel_name = $funnel_name
),

-- Only who went on took any time.
figures as (
    select step_order, w['as_of'] as as_of, w['days'] as days, w
    from (
        select step_order, unnest(rolling(date, seconds[step_order], $from, $to, make_array(7, 30, 90))) as w
        from people
        group by step_order
    ) windows
)

select
    $funnel_name as funnel_name,
    s.as_of,
    cast(s.days as varchar) || 'd' as timeframe,
    s.step_order,
    coalesce(f.w['total'], 0) as total_users,
    case when s.step_order < max(s.step_order) over () then coalesce(f.w['valued'], 0) end as converted_users,
    f.w['mean'] as avg_time_to_convert,
    f.w['median'] as median_time_to_convert,
    f.w['p90'] as p90_time_to_convert
from steps s
left join figures f on f.as_of = s.as_of and f.days = s.days and f.step_order = s.step_order
order by s.as_of, s.days, s.step_order
