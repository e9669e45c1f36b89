-- A warehouse of three years up to this hour, as the jobs would have left it: every summary table that the KPI API
-- reads, with figures that are made up, positive, and no two days alike. Today is partial.

create temporary table days as
select day::date as date, day::date - (now() at time zone 'utc')::date as ago, row_number() over (order by day) as n
from generate_series((now() at time zone 'utc')::date - 1095, (now() at time zone 'utc')::date, interval '1 day') as day;

create temporary table plans as
select plan, row_number() over () as p
from unnest(array['all', 'one_off', 'basic_month', 'basic_quarter', 'basic_year', 'plus_month', 'plus_quarter',
    'plus_year', 'gold_month', 'gold_quarter', 'gold_year', 'trial_week']) as plan;

create temporary table made as
select gen_random_uuid() as run_id, now() as computed_at;

insert into daily_kpi_summaries
select date, 5000 + n % 977, 15000 + n % 977, 40000 + n % 977, 120 + n % 37, 9000 + n % 977, 600.5 + n % 60,
    8900 + n % 900, 5400000.25 + n, 20000 + n % 997, 900 + n % 97, 15000 + n % 997, 36000 + n % 997, 80 + n % 9, 240.5,
    320.0 + n % 9, 4500.50 + n % 500, 120.25, 4380.25 + n % 500, 60 + n % 9, 20 + n % 9, 4200, 20 + n % 9, 0.5, 40.5, 22.5,
    12.5, 120 + n % 37, 118 + n % 37, 115 + n % 37, 50 + n % 9, 27 + n % 9, 14 + n % 9, 30, 12, ago = 0, run_id, computed_at
from days, made;

insert into lifecycle_daily
select date, 110 + n % 37, 4000 + n % 97, 300 + n % 47, 280 + n % 43, ago = 0, run_id, computed_at from days, made;

insert into segment_kpi_daily
select date, dimension, value, 100 + (n * v) % 1997, case when dimension <> 'app_version' then (n + v) % 50 end,
    150 + (n * v) % 2997, 90000.5 + v, 149 + (n * v) % 2997,
    case when dimension in ('country', 'gender') then 300 + (n + v) % 997 end,
    case when dimension in ('country', 'gender') then 45.25 + (n + v) % 97 end, run_id, computed_at
from made, days, (
    select 'platform' as dimension, value, row_number() over () as v from unnest(array['ios', 'android', 'web']) as value
    union all select 'gender', value, row_number() over () from unnest(array['female', 'male', 'other', 'unknown']) as value
    union all select 'country', chr(65 + v / 26) || chr(65 + v % 26), v from generate_series(1, 30) as v
    union all select 'app_version', '4.' || v || '.1', v from generate_series(1, 20) as v
) as segments;

insert into active_user_buckets
select granularity, start at time zone 'utc', (start + length) at time zone 'utc', 200 + hashtext(start::text) % 90, 12, 260,
    (start + length) at time zone 'utc' > now(), run_id, computed_at
from made, (values
    ('hourly', 'hour', interval '1 hour'), ('daily', 'day', interval '1 day'), ('weekly', 'week', interval '7 days'),
    ('monthly', 'month', interval '1 month'), ('quarterly', 'quarter', interval '3 months')
) as granularities (granularity, unit, length),
lateral generate_series(
    date_trunc(unit, now() at time zone 'utc' - interval '1095 days'), date_trunc(unit, now() at time zone 'utc'), length
) as start;

insert into hourly_metrics
select bucket_start, 90, active_users, 40, 6, 5, 700, 600, is_partial, run_id, computed_at
from active_user_buckets where granularity = 'hourly';

-- Period p of a cohort is the p-th week after its own: of the latest cohorts there are fewer.
insert into retention_cohorts
select (this_week - 7 * cohort)::date, period, 700 + cohort, (700 + cohort) / (period + 1),
    case when period < cohort then round(100.0 / (period + 1), 4) end, 2.5, 1.5, 3.25, 4.5, period = cohort, run_id, computed_at
from made, (select date_trunc('week', now() at time zone 'utc')::date as this_week) as current, generate_series(0, 149) as cohort,
    generate_series(0, least(12, cohort)) as period;

insert into revenue_metrics
select date, plan, 3 + n % 7, 8 + n % 5, 2, 1 + n % 3, 700 + n % 97, 702 + n % 97, 400.75 + (n * p) % 97, 10.5,
    390.25 + (n * p) % 97, 9000.5 + n % 997, 108006 + 12 * (n % 997), 84.5, 0.25, ago = 0, run_id, computed_at
from days, plans, made;

insert into mrr_movements_daily
select date, 90000 + n, 120, 30, 20, 9, 160, 90001 + n, run_id, computed_at from days, made;

create temporary table steps as
select * from unnest(array['app_open', 'registration_start', 'registration_complete', 'first_session', 'first_match',
    'first_message', 'subscription_view', 'subscription_purchase']) with ordinality as steps (step, s);

insert into conversion_funnels
select date, 'onboarding', s, step, 900 / s + n % 7, case when s < 8 then 900 / (s + 1) end,
    case when s < 8 then 100.0 * s / (s + 1) end, case when s < 8 then 3600.5 * s end, case when s < 8 then 1800.5 * s end,
    case when s < 8 then 9000.5 * s end, ago < -14, run_id, computed_at
from days, steps, made;

insert into funnel_windows
select 'onboarding', date, timeframe, s, 27000 / s + n % 7, case when s < 8 then 27000 / (s + 1) end,
    case when s < 8 then 3600.5 * s end, case when s < 8 then 1800.5 * s end, case when s < 8 then 9000.5 * s end,
    run_id, computed_at
from days, steps, made, unnest(array['7d', '30d', '90d']) as timeframe;

insert into session_windows
select date, timeframe, 60000 + n, 610.5, 420.5, 1400.5, run_id, computed_at
from days, made, unnest(array['7d', '30d', '90d']) as timeframe;

-- A thousand sessions a day.
insert into session_analytics
select gen_random_uuid(), (n * 7919 + i) % 40000, start, case when i % 10 > 0 then start + interval '11 minutes' end,
    case when i % 10 > 0 then 600.5 + i % 300 end, 12, 30, i % 2, i % 9,
    case when i % 10 > 0 then (array['logout', 'background', 'timeout'])[1 + i % 3] end,
    (array['ios', 'android', 'web'])[1 + i % 3], '4.' || i % 20 || '.1', chr(65 + i % 26) || 'A', run_id, computed_at
from made, days, generate_series(1, 1000) as i, lateral (select date at time zone 'utc' + i * interval '86 seconds') as at (start)
where start <= now();

-- One instant stands for each day: its end; today's is the last closed hour. `*` are all events together.
insert into behavior_rollups
select timeframe, case when ago = 0 then date_trunc('hour', now()) else (date + 1) at time zone 'utc' end, event, facet, value,
    1000 + (n * 31 + e) % 9973, 100 + (n * 7 + e) % 997, run_id, computed_at
from made, days, unnest(array['24h', '7d', '30d', '90d']) as timeframe,
    (select '*' as event, 0 as e union all select 'event_' || e, e from generate_series(1, 20) as e) as events,
    (
        select 'all' as facet, '*' as value
        union all select 'platform', unnest(array['ios', 'android', 'web'])
        union all select 'hour', lpad(hour::text, 2, '0') from generate_series(0, 23) as hour
    ) as facets
-- In the first hour of a day none of its hours is closed.
where ago < 0 or date_trunc('hour', now()) > date at time zone 'utc';

insert into source_watermarks
select source, dataset, now(), now(), 1000000, 'made up', run_id
from made, (values ('users', 'users'), ('users', 'user_sessions'), ('interactions', 'matches'), ('communications', 'messages'))
    as datasets (source, dataset);
