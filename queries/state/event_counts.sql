-- How often each person did what, on which platform, in which hour of each day.
-- implements: metrics.md 7, "Behaviour"
-- reads: events
-- grain: date, user_key, anonymous_key, event_name, platform, hour
-- parameters: from, to

-- Where an event says the user, its device adds nothing to who did it. It lies in the file of its hour.
with done as (
    select
        date,
        user_key,
        case when user_key is null then anonymous_key end as anonymous_key,
        event_name,
        coalesce(platform, 'unknown') as platform,
        cast(hour as int) as hour
    from events
    where date >= $from and date < $to
)

select date, user_key, anonymous_key, event_name, platform, hour, count(*) as events
from done
group by date, user_key, anonymous_key, event_name, platform, hour
order by date, user_key, anonymous_key, event_name, platform, hour
