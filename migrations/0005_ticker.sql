-- What runs of several jobs leave to each other, and what the ticker needs of the ledger.

-- One run at a time, of whatever job: no two replace one file of the lake, and a file is never replaced by one that was
-- extracted earlier. A backfill holds its place while its runs, its children, take turns with those of other jobs.
alter table etl_job_runs
    add column parent_id uuid references etl_job_runs (id),
    add column backfill_mode text check (backfill_mode in ('missing', 'failed', 'all')), -- set: a backfill, done by its children
    add column retry_at timestamptz; -- when the ticker tries a run that ended without publishing again; null: never

drop index etl_job_runs_one_active;
create unique index etl_job_runs_one_active on etl_job_runs (job_name)
    where status in ('queued', 'running') and backfill_mode is null;
create unique index etl_job_runs_one_backfill on etl_job_runs (job_name)
    where status in ('queued', 'running') and backfill_mode is not null;
create unique index etl_job_runs_one_running on etl_job_runs ((true))
    where status = 'running' and backfill_mode is null;
create index etl_job_runs_retry on etl_job_runs (retry_at) where retry_at is not null;
create index etl_job_runs_children on etl_job_runs (parent_id) where parent_id is not null;

-- When a ticker first saw the job: ticks before that are nobody's, so that a new installation catches nothing up.
alter table job_ticks add column watched_since timestamptz;

-- The days of a fact that changed in the lake and that a consumer, a job or a state, has not looked at since.
create table pending_changes (
    consumer text not null,
    fact text not null,
    day date not null,
    noted_by uuid not null, -- the run that saw the change last
    primary key (consumer, fact, day)
);

-- The files of events that were read, each in the version that its ETag names.
create table event_files (
    path text primary key,
    etag text not null,
    run_id uuid not null
);
