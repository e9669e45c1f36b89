-- Persons whose rows were removed, and are never taken in again.

create table erased_users (
    user_key bigint primary key, -- of a person, or of a device that was theirs
    requested_at timestamptz not null,
    completed_at timestamptz, -- null until a scan has found nothing left
    rows_erased bigint not null default 0,
    report jsonb not null default '{}',
    retry_at timestamptz, -- when an erasure that failed is tried again
    check (rows_erased >= 0)
);
create index erased_users_pending on erased_users (requested_at) where completed_at is null;

-- Rows that the source has and the file has not, since their person is erased: what the numbers of rows are compared with.
alter table lake_partitions add column left_out bigint not null default 0;
