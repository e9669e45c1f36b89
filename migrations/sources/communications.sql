-- The communications database of the simulated platform: messages between matched people.

create table if not exists messages (
    id              uuid primary key,
    conversation_id uuid not null,
    sender_id       uuid not null,
    recipient_id    uuid not null,
    kind            text not null default 'text',      -- text | image | voice | gif
    content         text,                              -- private
    created_at      timestamptz not null default now()
);

-- Indexes
create index if not exists messages_created_at on messages (created_at);
