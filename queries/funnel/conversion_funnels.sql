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

-- Only who went on took any time.
spans as (
    select date, step_order, seconds[step_order] as seconds
    from people
),

reached as (
    select
        date, step_order,
        count(*) as total_users,
        count(seconds) as converted_users,
        -- Whole microseconds: their sum is the same in whatever order they are added.
        sum(cast(round(seconds * 1000000) as bigint)) / 1000000.0 / nullif(count(seconds), 0) as mean
    from spans
    group by date, step_order
),

-- How long it took, in order: the places from 0 to the last.
ranked as (
    select
        date,
        step_order,
        seconds,
        row_number() over (partition by date, step_order order by seconds) - 1 as place,
        count(*) over (partition by date, step_order) - 1 as last
    from spans
    where seconds is not null
),

-- Interpolated between the two places nearest; percentile_cont would round the weight to six digits.
percentiles as (
    select
        date,
        step_order,
        sum(seconds * greatest(0.0, 1 - abs(place - 0.5 * last))) as median,
        sum(seconds * greatest(0.0, 1 - abs(place - 0.9 * last))) as p90
    from ranked
    group by date, step_order
)

select
    s.date,
    $funnel_name as funnel_name,
    s.step_order,
    s.funnel_step,
    coalesce(r.total_users, 0) as total_users,
    case when s.step_order < max(s.step_order) over () then coalesce(r.converted_users, 0) end as converted_users,
    case when s.step_order < max(s.step_order) over () then r.converted_users * 100.0 / r.total_users end
        as conversion_rate,
    r.mean as avg_time_to_convert,
    p.median as median_time_to_convert,
    p.p90 as p90_time_to_convert,
    arrow_cast(s.date + 1, 'Timestamp(Microsecond, Some("UTC"))')
        <= arrow_cast(arrow_cast($as_of, 'Int64') - $window_seconds * 1000000, 'Timestamp(Microsecond, Some("UTC"))')
        as is_mature
from steps s
left join reached r on r.date = s.date and r.step_order = s.step_order
left join percentiles p on p.date = s.date and p.step_order = s.step_order
order by s.date, s.step_order
