-- The users database of the simulated platform: accounts, sessions, subscriptions and payments.
-- Every timestamp is timestamptz, every amount numeric(12,2), every id a uuid. Private columns never leave the source.

create table if not exists users (
    id              uuid primary key,
    email           text not null unique,              -- private
    username        text not null,                     -- private
    password_hash   text not null,                     -- private
    date_of_birth   date,                              -- private
    gender          text,                              -- female | male | nonbinary | null
    country         text,                              -- ISO 3166-1 alpha-2, null = unknown
    signup_platform text,                              -- ios | android | web
    status          text not null default 'active',    -- active | suspended | banned | deleted
    is_internal     boolean not null default false,    -- staff and test accounts: left out of every metric
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now()
);

create table if not exists user_profiles (
    user_id      uuid primary key references users (id),
    display_name text,                                 -- private
    bio          text,                                 -- private
    interests    text[],                               -- private
    city         text,                                 -- private
    updated_at   timestamptz not null default now()
);

-- One row per signed-in app session: a login opens one.
create table if not exists user_sessions (
    id            uuid primary key,
    user_id       uuid not null,
    platform      text,                                -- ios | android | web
    app_version   text,
    country       text,
    started_at    timestamptz not null,
    last_seen_at  timestamptz not null,                -- last request seen in the session
    ended_at      timestamptz,                         -- null while open
    exit_reason   text,                                -- logout | background | timeout | crash | null
    updated_at    timestamptz not null default now()
);

create table if not exists subscriptions (
    id                 uuid primary key,
    user_id            uuid not null,
    plan               text not null,                  -- premium_monthly, vip_annual, ...
    billing_interval   text,                           -- week | month | quarter | half_year | year, null: by the plan's suffix
    price              numeric(12,2) not null,         -- per billing interval
    currency           char(3) not null default 'USD',
    status             text not null,                  -- trialing | active | past_due | canceled | expired
    started_at         timestamptz not null,
    trial_ends_at      timestamptz,                    -- null: no trial
    canceled_at        timestamptz,                    -- the request to stop renewing
    ended_at           timestamptz,                    -- paid access ended, null while it lasts
    updated_at         timestamptz not null default now()
);

create table if not exists payments (
    id              uuid primary key,
    user_id         uuid not null,
    subscription_id uuid,                              -- null: a one-off purchase (boost, super like)
    kind            text not null,                     -- initial | renewal | one_off
    amount          numeric(12,2) not null,
    currency        char(3) not null default 'USD',
    status          text not null,                     -- succeeded | failed | refunded
    paid_at         timestamptz not null,
    refunded_at     timestamptz,
    refunded_amount numeric(12,2),
    updated_at      timestamptz not null default now()
);

-- Indexes
create index if not exists users_created_at on users (created_at);
create index if not exists users_updated_at on users (updated_at);
create index if not exists user_sessions_started_at on user_sessions (started_at);
create index if not exists user_sessions_updated_at on user_sessions (updated_at);
create index if not exists subscriptions_started_at on subscriptions (started_at);
create index if not exists subscriptions_updated_at on subscriptions (updated_at);
create index if not exists payments_paid_at on payments (paid_at);
create index if not exists payments_updated_at on payments (updated_at);
