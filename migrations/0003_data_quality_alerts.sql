-- What the checks of a run found, until it resolves. A finding that repeats raises the open alert's occurrences.

create table data_quality_alerts (
    id uuid primary key,
    alert_type text not null,
    table_name text not null,
    column_name text,
    check_name text not null,
    dimension text,
    alert_message text not null,
    severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
    threshold numeric,
    actual_value numeric,
    details jsonb not null default '{}',
    occurrences integer not null default 1 check (occurrences > 0),
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    is_resolved boolean not null default false,
    resolved_at timestamptz,
    resolved_by text,
    run_id uuid,
    check (is_resolved = (resolved_at is not null))
);

create unique index data_quality_alerts_one_open
    on data_quality_alerts (alert_type, table_name, coalesce(column_name, ''), check_name, coalesce(dimension, ''))
    where not is_resolved;
create index data_quality_alerts_newest on data_quality_alerts (created_at desc);
