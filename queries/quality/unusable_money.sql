-- Payments and subscriptions that are left out of the figures, or enter them by a guess.
-- implements: metrics.md 1, "Payments and subscriptions in another currency"; 4, "refunded without a date", "An unknown interval"
-- reads: payments, subscriptions
-- grain: check, date
-- parameters: from, to, currency

with rows as (
    select date, 'payments' as table_name, currency, amount,
        status = 'refunded' and refunded_at is null and currency = $currency as is_undated,
        false as is_unknown
    from payments
    where date >= $from and date < $to
    union all
    select date, 'subscriptions', currency, price, false,
        currency = $currency
            and coalesce(billing_interval, '') not in ('week', 'month', 'quarter', 'half_year', 'year')
            and not regexp_like(plan, '_(weekly|monthly|quarterly|semiannual|annual|yearly)$')
    from subscriptions
    where date >= $from and date < $to
),

foreign_money as (
    select date, table_name, currency, count(*) as rows, sum(amount) as amount
    from rows
    where currency <> $currency
    group by date, table_name, currency
),

told as (
    select
        date,
        table_name,
        sum(rows) as rows,
        string_agg(
            cast(rows as varchar) || ' of ' || cast(amount as varchar) || ' ' || currency, ', ' order by currency
        ) as amounts
    from foreign_money
    group by date, table_name
),

days as (
    select
        r.date,
        r.table_name,
        count(*) filter (where r.is_undated) as undated,
        count(*) filter (where r.is_unknown) as unknown_intervals
    from rows r
    group by r.date, r.table_name
)

select
    'reporting_currency' as check,
    'unusable_rows' as alert_type,
    d.table_name,
    'currency' as column_name,
    cast(null as varchar) as dimension,
    cast(d.date as varchar) as bucket,
    case when t.rows > 0 then 'violated' else 'passed' end as verdict,
    'low' as severity,
    'in another currency than ' || $currency || ', and left out of every figure: ' || coalesce(t.amounts, 'none') as message,
    0.0 as threshold,
    cast(coalesce(t.rows, 0) as double) as actual
from days d
left join told t on t.date = d.date and t.table_name = d.table_name
union all
select
    'refund_has_a_date',
    'unusable_rows',
    table_name,
    'refunded_at',
    null,
    cast(date as varchar),
    case when undated > 0 then 'violated' else 'passed' end,
    'medium',
    cast(undated as varchar) || ' refunded payments say not when: they are not subtracted',
    0.0,
    cast(undated as double)
from days
where table_name = 'payments'
union all
select
    'billing_interval_is_known',
    'unusable_rows',
    table_name,
    'billing_interval',
    null,
    cast(date as varchar),
    case when unknown_intervals > 0 then 'violated' else 'passed' end,
    'medium',
    cast(unknown_intervals as varchar) || ' subscriptions have neither a known interval nor a plan that names one: '
        || 'they count as monthly',
    0.0,
    cast(unknown_intervals as double)
from days
where table_name = 'subscriptions'
order by check, table_name, bucket
