-- The hours of the day, and the day, week, month and quarter around it.
with buckets as (
    select 'hourly' as granularity, n as opens, n + interval '1 hour' as closes
    from generate_series({start}, {end} - interval '1 hour', interval '1 hour') as n
    union all
    select 'daily', {start}, {end}
    union all
    select unit || 'ly', date_trunc(unit, {start}, 'UTC'),
        (date_trunc(unit, {start}, 'UTC') at time zone 'UTC' + length::interval) at time zone 'UTC'
    from (values ('week', '7 days'), ('month', '1 month'), ('quarter', '3 months')) as units (unit, length)
)
select
    granularity, opens as bucket_start, closes as bucket_end,
    (
        select count(*) from (
            select distinct user_id from sessions
            where started_at >= opens - interval '24 hours' and started_at < closes
                and (finish > opens or started_at >= opens)
        ) people
    ) as active_users,
    (select count(*) from users where created_at >= opens and created_at < closes and not is_internal)
        as new_registrations,
    (select count(*) from sessions where started_at >= opens and started_at < closes) as total_sessions,
    closes > now() as is_partial
from buckets
