-- The sessions of the 7, 30 and 90 days that end with a day, by the database's own percentiles.
select
    n::date as as_of,
    length || 'd' as timeframe,
    count(s.id) as sessions,
    avg(s.seconds) as mean_duration,
    percentile_cont(0.5) within group (order by s.seconds) as median_duration,
    percentile_cont(0.9) within group (order by s.seconds) as p90_duration
from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
cross join unnest(array[7, 30, 90]) as length
left join oracle.sessions s on s.day between n::date - length + 1 and n::date
group by n, length
