-- What answers about sessions read beside the days' key figures.

-- How the sessions of each day ended, so that nobody has to read them one by one to tell.
create table session_exits_daily (
    date date not null, -- on which the sessions started
    exit_reason text not null, -- open: not ended yet; unknown: ended, and the source does not say how
    sessions bigint not null,
    run_id uuid not null,
    computed_at timestamptz not null,
    primary key (date, exit_reason)
);

-- Years of one dimension, without the hundreds of values that the others have on each day.
create index segment_kpi_daily_dimension on segment_kpi_daily (dimension, date);
