-- Answers:    which messages were sent in a window, without their content.
-- Reads:      messages, in the communications database.
-- Grain:      one row per message.
-- Parameters: $from, $to: the window of created_at, from an instant up to, and without, another.
select
    id as message_id,
    sender_id as sender,
    recipient_id as recipient,
    kind,
    created_at
from messages
where created_at >= $from
    and created_at < $to
