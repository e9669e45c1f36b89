-- Answers:    which live encounters (video, voice, text) started in a window.
-- Reads:      interactions, in the interactions database.
-- Grain:      one row per encounter.
-- Parameters: $from, $to: the window of started_at, from an instant up to, and without, another.
select
    id as interaction_id,
    kind,
    initiator_id as initiator,
    partner_id as partner,
    started_at,
    ended_at,
    end_reason
from interactions
where started_at >= $from
    and started_at < $to
