with owners as (
    select anonymous_key, arg_min(user_key, (event_time, event_id)) as user_key
    from aliases
    group by anonymous_key
)

select
    event_time,
    event_id,
    coalesce(e.user_key, o.user_key) as person,
    session_id,
    event_name,
    properties,
    platform,
    app_version,
    country
from events e
left join owners o using (anonymous_key)
where date >= $from and date < $to and event_time >= $start and event_time < $until
    and not exists (from internal_users i where i.user_key = coalesce(e.user_key, o.user_key))
order by event_time, event_id
