-- What a sensible owner adds to the indexes that the sources come with: the ways from a person, and from an event's
-- name.
create index on user_sessions (user_id, started_at);
create index on subscriptions (user_id);
create index on payments (user_id, paid_at);
create index on payments (subscription_id);
create index on payments (refunded_at) where refunded_at is not null;
create index on matches (user_a_id, created_at);
create index on matches (user_b_id, created_at);
create index on messages (sender_id, created_at);
create index on behavior_events (event_name, event_time);
