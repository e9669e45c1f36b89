-- Of those who entered a funnel on each date, how many reached each step, went on from it, and how long that took them.
-- implements: metrics.md 6, "total_users", "avg_time_to_convert", "is_mature"
-- reads: funnel_people, funnel_steps
-- grain: date, funnel_name, step_order
-- parameters: from, to, as_of, window_seconds, funnel_name

-- A date without entries has its rows too.
with steps as (
    select step_order, funnel_step, unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as date
    from (select distinct step_order, funnel_step from funnel_steps) s
),

people as (
    select date, seconds, unnest(generate_series(1, reached)) as step_order
    from funnel_people
    where date >= $from and date < $to and funnel_name = $funnel_name
),

-- Of each date alone. Only who went on took any time.
figures as (
    select step_order, w['as_of'] as date, w
    from (
        select step_order, unnest(rolling(date, seconds[step_order], $from, $to, make_array(1))) as w
        from people
        group by step_order
    ) dates
)

select
    s.date,
    $funnel_name as funnel_name,
    s.step_order,
    s.funnel_step,
    coalesce(f.w['total'], 0) as total_users,
    case when s.step_order < max(s.step_order) over () then coalesce(f.w['valued'], 0) end as converted_users,
    case when s.step_order < max(s.step_order) over () then f.w['valued'] * 100.0 / nullif(f.w['total'], 0) end
        as conversion_rate,
    f.w['mean'] as avg_time_to_convert,
    f.w['median'] as median_time_to_convert,
    f.w['p90'] as p90_time_to_convert,
    arrow_cast(s.date + 1, 'Timestamp(Microsecond, Some("UTC"))')
        <= arrow_cast(arrow_cast($as_of, 'Int64') - $window_seconds * 1000000, 'Timestamp(Microsecond, Some("UTC"))')
        as is_mature
from steps s
left join figures f on f.date = s.date and f.step_order = s.step_order
order by s.date, s.step_order
