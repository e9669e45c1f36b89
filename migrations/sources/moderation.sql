-- The moderation database of the simulated platform (optional): reports, and what was done about them.

create table if not exists reports (
    id               uuid primary key,
    reporter_id      uuid not null,
    reported_user_id uuid not null,
    category         text not null,                    -- spam | harassment | fake_profile | underage | other
    created_at       timestamptz not null default now(),
    resolved_at      timestamptz,
    updated_at       timestamptz not null default now()
);

create table if not exists moderation_actions (
    id         uuid primary key,
    user_id    uuid not null,
    action     text not null,                          -- warn | suspend | ban | remove_content
    automated  boolean not null default false,
    created_at timestamptz not null default now()
);

-- Indexes
create index if not exists reports_created_at on reports (created_at);
create index if not exists reports_updated_at on reports (updated_at);
create index if not exists moderation_actions_created_at on moderation_actions (created_at);
