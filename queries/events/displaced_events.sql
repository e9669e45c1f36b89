-- Which events of the lake make room for a copy that arrived before them.
-- implements: metrics.md 2, "the copy that arrived first wins"
-- reads: known_copies, fresh_events
-- grain: event_id
-- parameters:

select k.day as date, cast(k.hour as int) as hour, k.event_id
from known_copies k
left semi join fresh_events f on f.event_id = k.event_id
order by k.day, hour, k.event_id
