-- metrics.md 2, "Events" and "Person", from {from} to {to}. oracle.user_keys holds the keys of the users.
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
stitched as (
    select e.*, coalesce(e.user_id, o.user_id) as person
    from events e
    left join owners o on o.anonymous_id = e.anonymous_id
    where e.event_time >= {from} and e.event_time < {to}
)
select
    event_time, event_id, k.user_key as user_id, session_id, event_name,
    (
        select coalesce(jsonb_object_agg(key, case when key like '%user\_id' then to_jsonb(other.user_key) else value end), '{}')
        from jsonb_each(properties)
        left join oracle.user_keys other on key like '%user\_id' and other.id::text = value #>> '{}'
    ) as event_properties,
    lower(platform) as platform, app_version, country as location_country
from stitched
left join oracle.user_keys k on k.id = person
where (person in (select id from oracle.staff)) is not true
