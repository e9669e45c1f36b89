-- metrics.md 3, "Active user of a bucket": calendar buckets that have begun, by range joins over the spans.
with buckets as (
    select 'hourly' as granularity, n as opens, n + interval '1 hour' as closes
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 hour', interval '1 hour') as n
    union all
    select 'daily', n, n + interval '1 day'
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
    union
    -- A week begins on its Monday.
    select 'weekly', n - (extract(isodow from n) - 1) * interval '1 day',
        n - (extract(isodow from n) - 1) * interval '1 day' + interval '7 days'
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
    union
    select 'monthly', make_timestamp(extract(year from n)::int, extract(month from n)::int, 1, 0, 0, 0),
        make_timestamp(extract(year from n)::int, extract(month from n)::int, 1, 0, 0, 0) + interval '1 month'
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
    union
    select 'quarterly', make_timestamp(extract(year from n)::int, extract(quarter from n)::int * 3 - 2, 1, 0, 0, 0),
        make_timestamp(extract(year from n)::int, extract(quarter from n)::int * 3 - 2, 1, 0, 0, 0) + interval '3 months'
    from generate_series({from}::timestamp, {to}::timestamp - interval '1 day', interval '1 day') as n
),
instants as (
    select granularity, opens at time zone 'UTC' as opens, closes at time zone 'UTC' as closes from buckets
)
select
    granularity,
    opens as bucket_start,
    closes as bucket_end,
    (
        select count(distinct user_id) from oracle.sessions
        -- No span is longer than a day: what began before cannot meet the bucket.
        where started_at >= opens - interval '24 hours' and started_at < closes
            and (finish > opens or started_at >= opens)
    ) as active_users,
    (select count(*) from oracle.people where created_at >= opens and created_at < closes) as new_registrations,
    (select count(*) from oracle.sessions where started_at >= opens and started_at < closes) as total_sessions,
    closes > {as_of} as is_partial
from instants
where opens < {as_of}
