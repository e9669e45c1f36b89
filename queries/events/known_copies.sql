-- The events of the lake that have arrived once more: where each lies, and when it arrived.
-- implements: metrics.md 2, "de-duplicated on event_id, across dates"
-- reads: incoming_events, events
-- grain: event_id
-- parameters:

select
    e.event_id,
    e.received_at,
    e.date as day,
    cast(date_part('hour', e.event_time) as int) as hour
from events e
left semi join incoming_events i on i.event_id = e.event_id
order by e.event_id
