-- How long the sessions of 7, 30 and 90 days were.
select
    {day} as as_of,
    length || 'd' as timeframe,
    count(*) as sessions,
    avg(seconds) as mean_duration,
    percentile_cont(0.5) within group (order by seconds) as median_duration,
    percentile_cont(0.9) within group (order by seconds) as p90_duration
from unnest(array[7, 30, 90]) as length
join sessions on started_at >= {end} - length * interval '1 day' and started_at < {end}
group by length
