select
    date,
    user_key,
    case when user_key is null then anonymous_key end as anonymous_key,
    event_name,
    coalesce(platform, 'unknown') as platform,
    hour,
    count(*) as events
from events
where date >= $from and date < $to
group by all
order by all
