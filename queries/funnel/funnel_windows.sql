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
    select date, reached, seconds, unnest(make_array(7, 30, 90)) as days
    from funnel_people
    where date > $from - interval '90 days' and date < $to and funnel_name = $funnel_name
),

-- A person counts in every window of each length that ends from their entry on.
windowed as (
    select
        days,
        reached,
        seconds,
        unnest(generate_series(
            greatest(date, $from), least(date + days - 1, $to - interval '1 day'), interval '1 day'
        )) as as_of
    from people
),

-- Only who went on took any time.
spans as (
    select as_of, days, step_order, seconds[step_order] as seconds
    from (
        select as_of, days, seconds, unnest(generate_series(1, reached)) as step_order
        from windowed
    ) stepped
),

-- How long it took, in order: the places from 0 to the last of those who went on, and behind them who did not.
ranked as (
    select
        as_of,
        days,
        step_order,
        seconds,
        row_number() over (partition by as_of, days, step_order order by seconds nulls last) - 1 as place,
        count(seconds) over (partition by as_of, days, step_order) - 1 as last
    from spans
),

-- Percentiles are interpolated between the two places nearest; percentile_cont would round the weight to six digits.
figures as (
    select
        as_of,
        days,
        step_order,
        count(*) as total_users,
        count(seconds) as converted_users,
        -- Whole microseconds: their sum is the same in whatever order they are added.
        sum(cast(round(seconds * 1000000) as bigint)) / 1000000.0 / nullif(count(seconds), 0) as mean,
        sum(seconds * greatest(0.0, 1 - abs(place - 0.5 * last))) as median,
        sum(seconds * greatest(0.0, 1 - abs(place - 0.9 * last))) as p90
    from ranked
    group by as_of, days, step_order
)

select
    $funnel_name as funnel_name,
    s.as_of,
    cast(s.days as varchar) || 'd' as timeframe,
    s.step_order,
    coalesce(f.total_users, 0) as total_users,
    case when s.step_order < max(s.step_order) over () then coalesce(f.converted_users, 0) end as converted_users,
    f.mean as avg_time_to_convert,
    f.median as median_time_to_convert,
    f.p90 as p90_time_to_convert
from steps s
left join figures f on f.as_of = s.as_of and f.days = s.days and f.step_order = s.step_order
order by s.as_of, s.days, s.step_order
