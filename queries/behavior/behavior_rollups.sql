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
hours as (
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

-- The timeframes end together, so that the last time alone tells in which of them somebody did something.
persons as (
    select
        h.person,
        h.event_name,
        h.platform,
        h.hour,
        min(h.hours_ago) as hours_ago,
        sum(case when h.hours_ago <= 24 then h.events else 0 end) as events_24h,
        sum(case when h.hours_ago <= 168 then h.events else 0 end) as events_7d,
        sum(case when h.hours_ago <= 720 then h.events else 0 end) as events_30d,
        sum(h.events) as events_90d
    from hours h
    left anti join internal_users i on i.user_key = h.person
    where h.hours_ago between 1 and 2160
    group by h.person, h.event_name, h.platform, h.hour
),

-- Each counts under its name and among all. An event that is itself called `*` has no name to count under.
named as (
    select person, unnest(make_array(nullif(event_name, '*'), '*')) as event_name, platform, hour, hours_ago,
        events_24h, events_7d, events_30d, events_90d
    from persons
),

faceted as (
    select person, event_name, unnest(make_array('all', 'platform', 'hour')) as facet, platform, hour, hours_ago,
        events_24h, events_7d, events_30d, events_90d
    from named
    where event_name is not null
),

-- Whoever did it on two platforms, or in two hours, is one person in each and one among all.
persons_by_facet as (
    select
        person,
        event_name,
        facet,
        case facet when 'all' then '*' when 'platform' then platform else lpad(cast(hour as text), 2, '0') end
            as facet_value,
        min(hours_ago) as hours_ago,
        sum(events_24h) as events_24h,
        sum(events_7d) as events_7d,
        sum(events_30d) as events_30d,
        sum(events_90d) as events_90d
    from faceted
    group by 1, 2, 3, 4
),

totals as (
    select
        event_name,
        facet,
        facet_value,
        sum(events_24h) as events_24h,
        sum(events_7d) as events_7d,
        sum(events_30d) as events_30d,
        sum(events_90d) as events_90d,
        count(case when hours_ago <= 24 then 1 end) as users_24h,
        count(case when hours_ago <= 168 then 1 end) as users_7d,
        count(case when hours_ago <= 720 then 1 end) as users_30d,
        count(*) as users_90d
    from persons_by_facet
    group by event_name, facet, facet_value
    union all
    -- All events together have their row when there are none.
    select '*', 'all', '*', 0, 0, 0, 0, 0, 0, 0, 0
),

by_timeframe as (
    select unnest(make_array('24h', '7d', '30d', '90d')) as timeframe, *
    from totals
),

counted as (
    select
        timeframe,
        event_name,
        facet,
        facet_value,
        case timeframe when '24h' then events_24h when '7d' then events_7d when '30d' then events_30d else events_90d end
            as event_count,
        case timeframe when '24h' then users_24h when '7d' then users_7d when '30d' then users_30d else users_90d end
            as unique_users
    from by_timeframe
)

select
    timeframe,
    $rollup_as_of as as_of,
    event_name,
    facet,
    facet_value,
    sum(event_count) as event_count,
    sum(unique_users) as unique_users
from counted
group by timeframe, event_name, facet, facet_value
having sum(event_count) > 0 or (event_name = '*' and facet = 'all')
order by timeframe, event_name, facet, facet_value
