-- Events and distinct persons of the 24 hours, 7, 30 and 90 days that end with an hour, by event, platform and hour of
-- day. What nobody did has no row, but all events together always have theirs.
-- implements: metrics.md 7, "Behaviour"; 2, "Person"
-- reads: event_counts, aliases, internal_users
-- grain: timeframe, as_of, event_name, facet, facet_value
-- parameters: rollup_as_of

-- A device belongs to the user that it was first seen with.
with owners as (
    select anonymous_key, first_value(user_key order by event_time, event_id) as user_key
    from aliases
    group by anonymous_key
),

-- Hours are numbered back from the end of the timeframes: the last one is 1.
numbered as (
    select
        coalesce(c.user_key, o.user_key, c.anonymous_key) as person,
        c.event_name,
        c.platform,
        c.hour,
        cast($rollup_as_of as bigint) / 3600000000 - (cast(cast(c.date as int) as bigint) * 24 + c.hour) as hours_ago,
        c.events
    from event_counts c
    left join owners o on o.anonymous_key = c.anonymous_key
    where c.date >= cast($rollup_as_of - interval '90 days' as date)
        and c.date <= cast($rollup_as_of - interval '1 microsecond' as date)
),

done as (
    select n.person, n.event_name, n.platform, n.hour, n.hours_ago, n.events
    from numbered n
    left anti join internal_users i on i.user_key = n.person
    where n.hours_ago between 1 and 2160
),

-- Events add up, whatever they are counted by.
totals as (
    select
        event_name,
        platform,
        hour,
        sum(case when hours_ago <= 24 then events else 0 end) as events_24h,
        sum(case when hours_ago <= 168 then events else 0 end) as events_7d,
        sum(case when hours_ago <= 720 then events else 0 end) as events_30d,
        sum(events) as events_90d
    from done
    group by event_name, platform, hour
),

-- Each counts under its name and among all. An event that is itself called `*` has no name to count under.
named_totals as (
    select unnest(make_array(nullif(event_name, '*'), '*')) as event_name, platform, hour, events_24h, events_7d,
        events_30d, events_90d
    from totals
),

faceted_totals as (
    select event_name, unnest(make_array('all', 'platform', 'hour')) as facet, platform, hour, events_24h, events_7d,
        events_30d, events_90d
    from named_totals
    where event_name is not null
),

-- Persons do not add up. In which hours of the day somebody did something is a number of 24 bits for each timeframe, so
-- that persons are brought together without a row for each hour.
persons as (
    select
        person,
        event_name,
        platform,
        bit_or(case when hours_ago <= 24 then 1 << hour else 0 end) as hours_24h,
        bit_or(case when hours_ago <= 168 then 1 << hour else 0 end) as hours_7d,
        bit_or(case when hours_ago <= 720 then 1 << hour else 0 end) as hours_30d,
        bit_or(1 << hour) as hours_90d
    from done
    group by person, event_name, platform
),

named_persons as (
    select person, unnest(make_array(nullif(event_name, '*'), '*')) as event_name, platform, hours_24h, hours_7d,
        hours_30d, hours_90d
    from persons
),

-- A null stands for any platform.
placed_persons as (
    select person, event_name, unnest(make_array(platform, null)) as platform, hours_24h, hours_7d, hours_30d, hours_90d
    from named_persons
    where event_name is not null
),

merged_persons as (
    select
        event_name,
        platform,
        bit_or(hours_24h) as hours_24h,
        bit_or(hours_7d) as hours_7d,
        bit_or(hours_30d) as hours_30d,
        bit_or(hours_90d) as hours_90d
    from placed_persons
    group by person, event_name, platform
),

-- Those with the same hours are counted before hours are looked at one by one.
alike as (
    select event_name, platform, hours_24h, hours_7d, hours_30d, hours_90d, count(*) as persons
    from merged_persons
    group by event_name, platform, hours_24h, hours_7d, hours_30d, hours_90d
),

-- The whole day is -1.
faceted_persons as (
    select event_name, platform, hours_24h, hours_7d, hours_30d, hours_90d, persons,
        unnest(case when platform is null then range(-1, 24) else make_array(-1) end) as hour
    from alike
),

masked_persons as (
    select event_name, platform, hours_24h, hours_7d, hours_30d, hours_90d, persons, hour,
        case when hour < 0 then (1 << 24) - 1 else 1 << hour end as mask
    from faceted_persons
),

-- Added up before facets get their names.
hourly_persons as (
    select
        event_name,
        platform,
        hour,
        sum(case when hours_24h & mask > 0 then persons else 0 end) as users_24h,
        sum(case when hours_7d & mask > 0 then persons else 0 end) as users_7d,
        sum(case when hours_30d & mask > 0 then persons else 0 end) as users_30d,
        sum(case when hours_90d & mask > 0 then persons else 0 end) as users_90d
    from masked_persons
    group by event_name, platform, hour
),

both as (
    select
        event_name,
        facet,
        case facet when 'all' then '*' when 'platform' then platform else lpad(cast(hour as text), 2, '0') end
            as facet_value,
        events_24h, events_7d, events_30d, events_90d,
        0 as users_24h, 0 as users_7d, 0 as users_30d, 0 as users_90d
    from faceted_totals
    union all
    select
        event_name,
        case when platform is not null then 'platform' when hour < 0 then 'all' else 'hour' end,
        case when platform is not null then platform when hour < 0 then '*' else lpad(cast(hour as text), 2, '0') end,
        0, 0, 0, 0,
        users_24h, users_7d, users_30d, users_90d
    from hourly_persons
    union all
    -- All events together have their row when there are none.
    select '*', 'all', '*', 0, 0, 0, 0, 0, 0, 0, 0
),

summed as (
    select
        event_name,
        facet,
        facet_value,
        sum(events_24h) as events_24h,
        sum(events_7d) as events_7d,
        sum(events_30d) as events_30d,
        sum(events_90d) as events_90d,
        sum(users_24h) as users_24h,
        sum(users_7d) as users_7d,
        sum(users_30d) as users_30d,
        sum(users_90d) as users_90d
    from both
    group by event_name, facet, facet_value
),

by_timeframe as (
    select unnest(make_array('24h', '7d', '30d', '90d')) as timeframe, *
    from summed
),

counted as (
    select
        timeframe,
        event_name,
        facet,
        facet_value,
        case timeframe
            when '24h' then events_24h when '7d' then events_7d when '30d' then events_30d else events_90d
        end as event_count,
        case timeframe
            when '24h' then users_24h when '7d' then users_7d when '30d' then users_30d else users_90d
        end as unique_users
    from by_timeframe
)

select timeframe, $rollup_as_of as as_of, event_name, facet, facet_value, event_count, unique_users
from counted
where event_count > 0 or (event_name = '*' and facet = 'all')
order by timeframe, event_name, facet, facet_value
