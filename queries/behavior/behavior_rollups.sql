-- Events and distinct persons of the 24 hours, 7, 30 and 90 days that end with an hour, by event, platform and hour of
-- day. What nobody did has no row, but all events together always have theirs.
-- implements: metrics.md 7, "Behaviour"; 2, "Person"
-- reads: event_counts, aliases, internal_users
-- grain: timeframe, as_of, event_name, facet, facet_value
-- parameters: rollup_as_of

-- A device belongs to the user that it was first seen with.
with owners as materialized (
    select anonymous_key, first_value(user_key order by event_time, event_id) as user_key
    from aliases
    group by anonymous_key
),

-- What leads to an internal user: their own key, and those of their devices.
internal_keys as materialized (
    select user_key as key from internal_users
    union all
    select o.anonymous_key from owners o join internal_users i on i.user_key = o.user_key
),

-- Hours are numbered back from the end of the timeframes: the last one is 1. There is a device where no user is known.
done as (
    select user_key, device, event_name, platform, hour, hours_ago, events
    from (
        select
            user_key,
            case when user_key is null then anonymous_key end as device,
            event_name,
            platform,
            hour,
            cast($rollup_as_of as bigint) / 3600000000 - (cast(cast(date as int) as bigint) * 24 + hour) as hours_ago,
            events
        from event_counts
        where date >= cast($rollup_as_of - interval '90 days' as date)
            and date <= cast($rollup_as_of - interval '1 microsecond' as date)
    )
    where hours_ago between 1 and 2160
),

-- Events add up, whatever they are counted by.
totals as materialized (
    select
        event_name,
        platform,
        hour,
        sum(case when hours_ago <= 24 then events else 0 end) as events_24h,
        sum(case when hours_ago <= 168 then events else 0 end) as events_7d,
        sum(case when hours_ago <= 720 then events else 0 end) as events_30d,
        sum(events) as events_90d
    from done d
    left anti join internal_keys i on i.key = coalesce(d.user_key, d.device)
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

-- What there are few of gets a number, since persons are many: a name's lies above the 32 bits of a platform's. All
-- names are 0, and so is one that is itself called `*`.
kinds as materialized (
    select
        event_name,
        platform,
        case when event_name = '*' then 0 else cast(dense_rank() over (order by event_name) as bigint) << 32 end
            + cast(dense_rank() over (order by platform) as bigint) as kind
    from (select distinct event_name, platform from totals)
),

-- What only internal users did has no kind, and adds nothing to what a key did.
done_by_kind as (
    select d.user_key, d.device, k.kind, d.hour, d.hours_ago
    from done d
    left join kinds k on k.event_name = d.event_name and k.platform = d.platform
),

-- Persons do not add up. In which hours of the day somebody did something is a number of 24 bits for each timeframe, so
-- that persons are brought together without a row for each hour. Two timeframes share a number: the shorter one has its
-- lower 24 bits. All that a person did is one row.
identities as (
    select
        user_key,
        device,
        bits_by(
            kind,
            case when hours_ago <= 24 then 16777217 << hour when hours_ago <= 168 then 16777216 << hour else 0 end,
            case when hours_ago <= 720 then 16777217 << hour else 16777216 << hour end
        ) as hours_by_kind
    from done_by_kind
    group by user_key, device
),

-- A person may stand here as a user and as several devices, until they are merged.
persons as (
    select coalesce(s.user_key, o.user_key, s.device) as person, s.hours_by_kind
    from identities s
    left anti join internal_keys i on i.key = coalesce(s.user_key, s.device)
    left join owners o on o.anonymous_key = s.device
),

-- Each counts under its name and all, its platform and any.
merged_persons as (
    select unnest(bits_cube(hours_by_kind)) as hours
    from (
        select bits_by(hours_by_kind) as hours_by_kind
        from persons
        group by person
    )
),

person_hours as (
    select hours['key'] as place, hours['first'] as hours_24h_7d, hours['second'] as hours_30d_90d
    from merged_persons
),

-- How many of them did something in any hour of the day, and in each.
counted_persons as (
    select
        place,
        count(*) filter (where hours_24h_7d & 16777215 > 0) as users_24h,
        count(*) filter (where hours_24h_7d > 0) as users_7d,
        count(*) filter (where hours_30d_90d & 16777215 > 0) as users_30d,
        count(*) as users_90d,
        set_counts(hours_24h_7d) as by_hour_24h_7d,
        set_counts(hours_30d_90d) as by_hour_30d_90d
    from person_hours
    group by place
),

-- The number 0 has no name, and no platform.
named_places as (
    select coalesce(n.event_name, '*') as event_name, p.platform, c.*
    from counted_persons c
    left join (select distinct kind >> 32 as number, event_name from kinds where event_name <> '*') n
        on n.number = c.place >> 32
    left join (select distinct kind & 4294967295 as number, platform from kinds) p
        on p.number = c.place & 4294967295
),

-- By hour only where any platform counts. The whole day is -1; elements of a list are counted from 1.
hours_of_persons as (
    select *, unnest(case when platform is null then range(-1, 24) else make_array(-1) end) as hour
    from named_places
),

hourly_persons as (
    select
        event_name,
        platform,
        hour,
        case when hour < 0 then users_24h else coalesce(by_hour_24h_7d[hour + 1], 0) end as users_24h,
        case when hour < 0 then users_7d else coalesce(by_hour_24h_7d[hour + 25], 0) end as users_7d,
        case when hour < 0 then users_30d else coalesce(by_hour_30d_90d[hour + 1], 0) end as users_30d,
        case when hour < 0 then users_90d else coalesce(by_hour_30d_90d[hour + 25], 0) end as users_90d
    from hours_of_persons
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
