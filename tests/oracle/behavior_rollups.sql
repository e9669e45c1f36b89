-- metrics.md 7, "Behaviour", at {rollup_as_of}.
with events as (
    -- A clock that is more than a day ahead is not believed; an event of nobody is set aside.
    select
        event_id, user_id, anonymous_id, session_id, event_name, properties, platform, app_version, country,
        case when event_time > received_at + interval '24 hours' then received_at else event_time end as event_time
    from behavior_events
    where user_id is not null or anonymous_id is not null
),
owners as (
    select distinct on (anonymous_id) anonymous_id, user_id
    from events
    where user_id is not null and anonymous_id is not null
    order by anonymous_id, event_time, event_id collate "C"
),
done as (
    select
        e.event_name, e.event_time,
        coalesce(lower(e.platform), 'unknown') as platform,
        to_char(e.event_time at time zone 'UTC', 'HH24') as hour,
        coalesce(e.user_id::text, o.user_id::text, e.anonymous_id) as person
    from events e
    left join owners o on o.anonymous_id = e.anonymous_id
    where (coalesce(e.user_id, o.user_id) in (select id from oracle.staff)) is not true
),
timeframes (timeframe, starts_at) as (
    select name, {rollup_as_of} - span::interval
    from (values ('24h', '24 hours'), ('7d', '168 hours'), ('30d', '720 hours'), ('90d', '2160 hours')) as t (name, span)
)
select timeframe, {rollup_as_of} as as_of, named.event_name, facet, facet_value, count(*) as event_count,
    count(distinct person) as unique_users
from done
join timeframes on event_time >= starts_at and event_time < {rollup_as_of}
cross join lateral (values ('*'), (done.event_name)) as named (event_name)
cross join lateral (values ('all', '*'), ('platform', platform), ('hour', hour)) as f (facet, facet_value)
group by timeframe, named.event_name, facet, facet_value
union all
select timeframe, {rollup_as_of}, '*', 'all', '*', 0, 0
from timeframes
where not exists (select from done where event_time >= starts_at and event_time < {rollup_as_of})
