-- The summary tables of the daily job: key figures of days and of calendar buckets, as contract/warehouse.md names them.
-- Counts are bigint, rates (0 to 100) and money numeric at full precision, durations double precision seconds.
-- null means that a figure cannot be known, 0 that it was measured and is zero.
-- run_id and computed_at name the run that last changed the row.

create table daily_kpi_summaries (
    date date primary key,
    total_active_users bigint not null,
    weekly_active_users bigint not null,
    monthly_active_users bigint not null,
    new_registrations bigint not null,
    total_sessions bigint not null,
    avg_session_duration double precision,
    closed_sessions bigint not null,
    session_seconds double precision not null,
    total_likes bigint not null,
    total_matches bigint not null,
    total_messages bigint not null,
    total_interactions bigint not null,
    total_video_calls bigint not null,
    avg_video_call_duration double precision,
    video_call_minutes double precision not null,
    gross_revenue numeric not null,
    refunds numeric not null,
    total_revenue numeric not null,
    subscription_purchases bigint not null,
    first_subscriptions bigint not null,
    active_non_subscribers bigint not null,
    converted_non_subscribers bigint not null,
    conversion_to_subscription numeric,
    user_retention_day1 numeric,
    user_retention_day7 numeric,
    user_retention_day30 numeric,
    retention_day1_cohort bigint not null,
    retention_day7_cohort bigint not null,
    retention_day30_cohort bigint not null,
    retention_day1_returned bigint not null,
    retention_day7_returned bigint not null,
    retention_day30_returned bigint not null,
    total_reports bigint,            -- null without a moderation source
    total_moderation_actions bigint, -- null without a moderation source
    is_partial boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null
);

create table lifecycle_daily (
    date date primary key,
    new_active bigint not null,
    "returning" bigint not null,
    resurrected bigint not null,
    dormant bigint not null,
    is_partial boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null
);

create table segment_kpi_daily (
    date date not null,
    dimension text not null check (dimension in ('platform', 'country', 'app_version', 'gender')),
    value text not null,
    active_users bigint not null,
    new_registrations bigint, -- null for app_version: nobody registers with one
    total_sessions bigint not null,
    session_seconds double precision not null,
    closed_sessions bigint not null,
    total_messages bigint,    -- null for platform and app_version
    total_revenue numeric,    -- null for platform and app_version
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (date, dimension, value)
);

create table active_user_buckets (
    granularity text not null check (granularity in ('hourly', 'daily', 'weekly', 'monthly', 'quarterly')),
    bucket_start timestamptz not null,
    bucket_end timestamptz not null,
    active_users bigint not null,
    new_registrations bigint not null,
    total_sessions bigint not null,
    is_partial boolean not null,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (granularity, bucket_start),
    check (bucket_start < bucket_end)
);

-- The newest complete bucket of a granularity, where a window of complete buckets ends.
create index active_user_buckets_complete on active_user_buckets (granularity, bucket_start desc)
    where not is_partial;

-- What changed when a closed day was restated: the row before and after, after being null when it vanished.
create table kpi_revisions (
    table_name text not null,
    key text not null, -- the row's key columns joined by '/'
    revised_at timestamptz not null,
    before jsonb not null,
    after jsonb,
    run_id uuid not null,
    primary key (table_name, key, revised_at)
);
