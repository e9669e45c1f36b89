-- The figures of closed hours that are held against those of the same hour of the week before.
-- implements: metrics.md 8, "data_spike", "data_drop", "hourly series: same hour of the week"
-- reads: hourly_metrics
-- grain: table_name, column_name, dimension, bucket
-- parameters: from, to

with hours as (
    select
        "timestamp" as hour,
        date,
        unnest(make_array('active_users', 'active_interactions', 'new_users', 'new_interactions', 'new_messages')) as column_name,
        unnest(
            make_array(
                cast(active_users as double), cast(active_interactions as double), cast(new_users as double),
                cast(new_interactions as double), cast(new_messages as double)
            )
        ) as value
    from hourly_metrics
    where date >= cast($from as date) - interval '112 days' and "timestamp" < $to and not is_partial
)

select
    'hourly_metrics' as table_name,
    column_name,
    cast(null as varchar) as dimension,
    to_char(hour, '%Y-%m-%dT%H:%M:%SZ') as bucket,
    cast(date_part('dow', hour) * 24 + date_part('hour', hour) as int) as slot,
    value,
    true as is_count,
    hour >= $from as is_tested
from hours
order by column_name, bucket
