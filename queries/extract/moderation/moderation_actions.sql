-- Answers:    what moderation did to users in a window.
-- Reads:      moderation_actions, in the moderation database.
-- Grain:      one row per action.
-- Parameters: $from, $to: the window of created_at, from an instant up to, and without, another.
select
    id,
    user_id,
    action,
    automated,
    created_at
from moderation_actions
where created_at >= $from
    and created_at < $to
