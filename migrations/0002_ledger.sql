-- The ledger of runs, and what publishing a run leaves beside the summaries: how far each source was read, and which
-- file stands for each partition of the lake.

create table etl_job_runs (
    id uuid primary key,
    job_name text not null,
    interval_start timestamptz not null,
    interval_end timestamptz not null,
    trigger text not null check (trigger in ('schedule', 'manual', 'backfill', 'catch_up', 'retry')),
    status text not null
        check (status in ('queued', 'running', 'completed', 'failed', 'partial', 'skipped', 'cancelled')),
    dry_run boolean not null default false,
    attempt integer not null default 1 check (attempt > 0),
    owner uuid,              -- the process that runs it; its lease, with the heartbeat
    requested_at timestamptz not null,
    start_time timestamptz,  -- null while queued
    end_time timestamptz,
    heartbeat_at timestamptz,
    records_read bigint not null default 0,
    records_processed bigint not null default 0,
    error_message text,
    execution_time_ms bigint,
    data_quality_checks jsonb not null default '[]',
    steps jsonb not null default '[]',
    check (interval_start < interval_end),
    check (status <> 'running' or (owner is not null and start_time is not null and heartbeat_at is not null)),
    check (status in ('queued', 'running') or end_time is not null)
);

-- Two runs of one job never overlap, whoever asks for them.
create unique index etl_job_runs_one_active on etl_job_runs (job_name) where status in ('queued', 'running');
create index etl_job_runs_latest on etl_job_runs (job_name, requested_at desc);
create index etl_job_runs_by_status on etl_job_runs (status, requested_at desc);

create table job_ticks (
    job_name text primary key,
    last_tick timestamptz,
    next_tick timestamptz,
    paused boolean not null default false
);

create table source_watermarks (
    source text not null,
    dataset text not null,
    extracted_to timestamptz not null, -- the instant at which the source was last read to the end
    last_row_at timestamptz,
    rows bigint not null,
    schema_fingerprint text not null,
    run_id uuid not null,
    primary key (source, dataset)
);

create table lake_partitions (
    dataset text not null,
    partition text not null, -- date=YYYY-MM-DD
    path text not null,
    rows bigint not null,
    bytes bigint not null,
    etag text,
    content_hash text not null,
    run_id uuid not null,
    published_at timestamptz not null,
    primary key (dataset, partition)
);
