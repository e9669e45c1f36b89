with owners as (
    select anonymous_key, arg_min(user_key, (event_time, event_id)) as user_key
    from aliases
    group by anonymous_key
),

done as (
    select *
    from (
        select
            coalesce(c.user_key, o.user_key, c.anonymous_key) as person,
            event_name,
            platform,
            hour,
            date_diff('hour', c.date::timestamp + to_hours(hour), $rollup_as_of) as hours_ago,
            events
        from event_counts c
        left join owners o using (anonymous_key)
        where c.date >= ($rollup_as_of - interval 90 days)::date and c.date <= $rollup_as_of::date
    ) numbered
    where hours_ago between 1 and 2160 and not exists (from internal_users i where i.user_key = person)
),

-- In which hours of the day somebody did something, as bits, for each timeframe.
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

-- By person, event and platform; each of the two or both of them may be any.
merged as (
    select
        person, event_name, platform, grouping(event_name) as any_event, grouping(platform) as any_platform,
        bit_or(hours_24h) as hours_24h, bit_or(hours_7d) as hours_7d, bit_or(hours_30d) as hours_30d,
        bit_or(hours_90d) as hours_90d
    from persons
    group by grouping sets ((person, event_name, platform), (person, event_name), (person, platform), (person))
),

alike as (
    select * exclude (person), count(*) as persons
    from merged
    group by all
),

people as (
    select any_event, event_name, 'platform' as facet, platform as value, hours_24h, hours_7d, hours_30d, hours_90d,
        persons
    from alike
    where any_platform = 0
    union all
    select any_event, event_name, 'all', '*', hours_24h, hours_7d, hours_30d, hours_90d, persons
    from alike
    where any_platform = 1
    union all
    select any_event, event_name, 'hour', lpad(h::varchar, 2, '0'), hours_24h & (1 << h), hours_7d & (1 << h),
        hours_30d & (1 << h), hours_90d & (1 << h), persons
    from alike, range(24) hours(h)
    where any_platform = 1
),

users as (
    select
        case when any_event = 1 then '*' else event_name end as event_name, facet, value,
        sum(persons) filter (where hours_24h > 0) as users_24h, sum(persons) filter (where hours_7d > 0) as users_7d,
        sum(persons) filter (where hours_30d > 0) as users_30d, sum(persons) filter (where hours_90d > 0) as users_90d
    from people
    group by all
),

totals as (
    select
        event_name, platform, hour,
        sum(events) filter (where hours_ago <= 24) as events_24h,
        sum(events) filter (where hours_ago <= 168) as events_7d,
        sum(events) filter (where hours_ago <= 720) as events_30d,
        sum(events) as events_90d
    from done
    group by all
),

counts as (
    select
        coalesce(event_name, '*') as event_name,
        case when grouping(platform) = 0 then 'platform' when grouping(hour) = 0 then 'hour' else 'all' end as facet,
        coalesce(platform, lpad(hour::varchar, 2, '0'), '*') as value,
        sum(events_24h) as events_24h, sum(events_7d) as events_7d, sum(events_30d) as events_30d,
        sum(events_90d) as events_90d
    from totals
    group by grouping sets (
        (event_name, platform), (event_name, hour), (event_name), (platform), (hour), ()
    )
)

select timeframe, $rollup_as_of, event_name, facet, value, events::bigint, coalesce(persons, 0)::bigint
from (
    select
        unnest(['24h', '7d', '30d', '90d']) as timeframe, event_name, facet, value,
        unnest([events_24h, events_7d, events_30d, events_90d]) as events,
        unnest([users_24h, users_7d, users_30d, users_90d]) as persons
    from counts join users using (event_name, facet, value)
)
where events > 0
order by timeframe, event_name, facet, value
