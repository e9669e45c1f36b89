-- What the values that are tested are worth beside those before them.
-- implements: metrics.md 8, "data_spike", "data_drop", "missing_data"
-- reads: series
-- grain: alert_type, table_name, column_name, dimension, bucket
-- parameters:

with tested as (
    select table_name, column_name, dimension, bucket, slot, value, is_count
    from series
    where is_tested and value is not null
),

-- The last 8 complete values of the same slot, the tested one not among them.
earlier as (
    select
        t.table_name,
        t.column_name,
        t.dimension,
        t.bucket,
        s.value,
        row_number() over (
            partition by t.table_name, t.column_name, t.dimension, t.bucket
            order by s.bucket desc
        ) as nth
    from tested t
    join series s
        on (s.table_name = t.table_name)
        and (s.column_name is not distinct from t.column_name)
        and (s.dimension is not distinct from t.dimension)
        and (s.slot = t.slot)
    where s.bucket < t.bucket and s.value is not null
),

compared as (
    select table_name, column_name, dimension, bucket, value
    from earlier
    where nth <= 8
),

centres as (
    select table_name, column_name, dimension, bucket, count(*) as known, median(value) as centre
    from compared
    group by table_name, column_name, dimension, bucket
),

spreads as (
    select
        c.table_name,
        c.column_name,
        c.dimension,
        c.bucket,
        m.known,
        m.centre,
        median(abs(c.value - m.centre)) as mad,
        avg(abs(c.value - m.centre)) as mean_deviation
    from compared c
    join centres m
        on (m.table_name = c.table_name)
        and (m.column_name is not distinct from c.column_name)
        and (m.dimension is not distinct from c.dimension)
        and (m.bucket = c.bucket)
    group by c.table_name, c.column_name, c.dimension, c.bucket, m.known, m.centre
),

-- Where nothing ever moved, any change is infinite: here, larger than any other.
scored as (
    select
        t.table_name,
        t.column_name,
        t.dimension,
        t.bucket,
        t.value,
        t.is_count,
        coalesce(s.known, 0) as known,
        s.centre,
        case
            when s.mad > 0 then 0.6745 * (t.value - s.centre) / s.mad
            when s.mean_deviation > 0 then (t.value - s.centre) / (1.2533 * s.mean_deviation)
            when t.value = s.centre then 0.0
            when t.value > s.centre then 1e9
            else -1e9
        end as z
    from tested t
    left join spreads s
        on (s.table_name = t.table_name)
        and (s.column_name is not distinct from t.column_name)
        and (s.dimension is not distinct from t.dimension)
        and (s.bucket = t.bucket)
),

judged as (
    select
        table_name,
        column_name,
        dimension,
        bucket,
        value,
        known,
        centre,
        z,
        abs(z) >= 3.5
            and abs(value - centre) >= 0.15 * abs(centre)
            and (not is_count or abs(value - centre) >= 10) as is_far,
        -- Rows of a fact that are not there at all are missing, not few.
        column_name is null and value = 0 and centre > 0 as is_missing
    from scored
),

findings as (
    select 'data_spike' as alert_type, *, is_far and z > 0 as is_wrong
    from judged
    union all
    select 'data_drop' as alert_type, *, is_far and z < 0 and not is_missing as is_wrong
    from judged
    union all
    select 'missing_data' as alert_type, *, is_missing as is_wrong
    from judged
    where column_name is null
)

select
    'same_slot_before' as check,
    alert_type,
    table_name,
    column_name,
    dimension,
    bucket,
    case when known < 6 then 'insufficient_history' when is_wrong then 'violated' else 'passed' end as verdict,
    case
        when alert_type = 'missing_data' then 'high'
        when abs(z) >= 8 then 'critical'
        when abs(z) >= 5 then 'high'
        else 'medium'
    end as severity,
    coalesce(column_name, 'rows') || case when dimension is null then '' else ' of ' || dimension end
        || ': ' || cast(round(value, 2) as varchar) || ', where the median of ' || cast(known as varchar)
        || ' such values before is ' || coalesce(cast(round(centre, 2) as varchar), 'unknown') as message,
    centre as threshold,
    value as actual
from findings
order by alert_type, table_name, column_name, dimension, bucket
