-- The interactions database of the simulated platform: swipes, matches, live encounters and the app's own event stream.

create table if not exists swipes (
    id             uuid primary key,
    user_id        uuid not null,
    target_user_id uuid not null,
    action         text not null,                      -- like | super_like | pass
    created_at     timestamptz not null default now()
);

-- One row per mutual like: user_a_id < user_b_id.
create table if not exists matches (
    id         uuid primary key,
    user_a_id  uuid not null,
    user_b_id  uuid not null,
    created_at timestamptz not null default now(),
    unique (user_a_id, user_b_id)
);

-- A live encounter between two people: a video call, a voice call or a live text chat.
create table if not exists interactions (
    id           uuid primary key,
    kind         text not null,                        -- video | voice | text
    initiator_id uuid not null,
    partner_id   uuid not null,
    started_at   timestamptz not null,
    ended_at     timestamptz,                          -- null while running
    end_reason   text,
    updated_at   timestamptz not null default now()
);

-- Who waited for a partner, from when to when.
create table if not exists matching_queue (
    id         uuid primary key,
    user_id    uuid not null,
    joined_at  timestamptz not null,
    left_at    timestamptz,                            -- null while waiting
    outcome    text,                                   -- matched | gave_up | null
    updated_at timestamptz not null default now()
);

-- What the app reported about a user session: session_id = user_sessions.id of the users database.
create table if not exists session_telemetry (
    session_id     uuid primary key,
    user_id        uuid not null,
    started_at     timestamptz not null,
    screens_viewed integer not null default 0,
    actions_taken  integer not null default 0,
    updated_at     timestamptz not null default now()
);

-- The event stream, as the app's own collector keeps it.
create table if not exists behavior_events (
    event_id     text primary key,
    user_id      uuid,                                 -- null before sign-up
    anonymous_id text,                                 -- device id, known before sign-up
    session_id   uuid,
    event_name   text not null,
    properties   jsonb not null default '{}',
    event_time   timestamptz not null,                 -- when it happened on the device
    received_at  timestamptz not null default now(),   -- when it arrived
    platform     text,
    app_version  text,
    country      text
);

-- Indexes
create index if not exists swipes_created_at on swipes (created_at);
create index if not exists matches_created_at on matches (created_at);
create index if not exists interactions_started_at on interactions (started_at);
create index if not exists interactions_updated_at on interactions (updated_at);
create index if not exists matching_queue_joined_at on matching_queue (joined_at);
create index if not exists matching_queue_updated_at on matching_queue (updated_at);
create index if not exists session_telemetry_started_at on session_telemetry (started_at);
create index if not exists session_telemetry_updated_at on session_telemetry (updated_at);
create index if not exists behavior_events_event_time on behavior_events (event_time);
create index if not exists behavior_events_received_at on behavior_events (received_at);
