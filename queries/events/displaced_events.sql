-- Which events of the lake make room for a copy that arrived before them.
-- implements: metrics.md 2, "the copy that arrived first wins"
-- reads: events, fresh_events
-- grain: event_id
-- parameters:

select e.date, date_part('hour', e.event_time) as hour, e.event_id
from events e
left semi join fresh_events f on f.event_id = e.event_id
order by e.date, hour, e.event_id
