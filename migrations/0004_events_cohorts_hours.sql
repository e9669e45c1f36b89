-- The tables of the money, funnel, event, session, hour and cohort figures, as contract/warehouse.md names them.
-- Conventions as in 0001: counts bigint, rates (0 to 100) and money numeric, durations double precision seconds, null
-- for what cannot be known.

create table revenue_metrics (
    date date not null,
    subscription_plan text not null, -- `all`, a plan, or `one_off`
    new_subscriptions bigint not null,
    renewed_subscriptions bigint not null,
    canceled_subscriptions bigint not null,
    churned_subscriptions bigint not null,
    active_at_start bigint not null,
    active_at_end bigint not null,
    gross_revenue numeric not null,
    refunds numeric not null,
    total_revenue numeric not null,
    monthly_recurring_revenue numeric not null,
    annual_recurring_revenue numeric not null,
    customer_lifetime_value numeric, -- null before 28 days of history, and when nothing churned
    churn_rate numeric,              -- null when nothing ran at the day's start
    is_partial boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (date, subscription_plan)
);

-- Always opening_mrr + new + reactivation + expansion - contraction - churn = closing_mrr.
create table mrr_movements_daily (
    date date primary key,
    opening_mrr numeric not null,
    "new" numeric not null,
    reactivation numeric not null,
    expansion numeric not null,
    contraction numeric not null,
    churn numeric not null,
    closing_mrr numeric not null,
    run_id uuid not null,
    computed_at timestamptz not null
);

create table conversion_funnels (
    date date not null, -- on which the persons entered
    funnel_name text not null,
    step_order bigint not null check (step_order > 0),
    funnel_step text not null,
    total_users bigint not null,
    converted_users bigint, -- null for the last step
    conversion_rate numeric,
    avg_time_to_convert double precision,
    median_time_to_convert double precision,
    p90_time_to_convert double precision,
    is_mature boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (date, funnel_name, step_order)
);

create table funnel_windows (
    funnel_name text not null,
    as_of date not null, -- the last entry date
    timeframe text not null check (timeframe in ('7d', '30d', '90d')),
    step_order bigint not null check (step_order > 0),
    total_users bigint not null,
    converted_users bigint,
    avg_time_to_convert double precision,
    median_time_to_convert double precision,
    p90_time_to_convert double precision,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (funnel_name, as_of, timeframe, step_order)
);

create table session_windows (
    as_of date not null, -- the last day of the window
    timeframe text not null check (timeframe in ('7d', '30d', '90d')),
    sessions bigint not null,
    mean_duration double precision,
    median_duration double precision,
    p90_duration double precision,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (as_of, timeframe)
);

-- Active users of hours are in active_user_buckets too; here with what else went on.
create table hourly_metrics (
    "timestamp" timestamptz primary key, -- the hour's first instant
    concurrent_users bigint not null,
    active_users bigint not null,
    active_interactions bigint not null,
    queue_length bigint not null,
    new_users bigint not null,
    new_interactions bigint not null,
    new_messages bigint not null,
    is_partial boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null
);

create table session_analytics (
    session_id uuid primary key,
    user_id bigint not null, -- the user key
    session_start timestamptz not null,
    session_end timestamptz,
    session_duration double precision, -- null while open, or when it ends before it starts
    screens_viewed bigint, -- null without telemetry
    actions_taken bigint,
    matches_in_session bigint not null,
    messages_in_session bigint not null,
    exit_reason text,
    platform text,
    app_version text,
    country text,
    run_id uuid not null,
    computed_at timestamptz not null
);
create index session_analytics_start on session_analytics (session_start);
create index session_analytics_user on session_analytics (user_id);

create table retention_cohorts (
    cohort_week date not null, -- its Monday
    period_number bigint not null check (period_number between 0 and 12),
    cohort_size bigint not null,
    users_returned bigint not null,
    retention_rate numeric, -- null while the week is open
    avg_sessions_per_user double precision,
    avg_matches_per_user double precision,
    avg_revenue_per_user numeric,
    subscription_conversion_rate numeric,
    is_partial boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (cohort_week, period_number)
);

create table behavior_rollups (
    timeframe text not null check (timeframe in ('24h', '7d', '30d', '90d')),
    as_of timestamptz not null, -- the end of the timeframe
    event_name text not null,   -- `*`: all events
    facet text not null check (facet in ('all', 'platform', 'hour')),
    facet_value text not null,  -- `*`, a platform, or 00 to 23
    event_count bigint not null,
    unique_users bigint not null,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (timeframe, as_of, event_name, facet, facet_value)
);
create index behavior_rollups_latest on behavior_rollups (as_of desc);

-- The last EVENTS_WAREHOUSE_DAYS days of events, a partition a day.
create table user_behavior_events (
    event_time timestamptz not null,
    event_id text not null,
    user_id bigint, -- the person's user key; null while the person is only anonymous
    session_id text,
    event_name text not null,
    event_properties jsonb not null,
    platform text,
    app_version text,
    location_country text,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (event_time, event_id)
) partition by range (event_time);
create index user_behavior_events_name on user_behavior_events (event_name, event_time);
create index user_behavior_events_user on user_behavior_events (user_id, event_time);
