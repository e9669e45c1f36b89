-- The hours that may hold a copy of what has arrived: those with an id of the same hash.
-- implements: metrics.md 2, "de-duplicated on event_id, across dates"
-- reads: event_ids, incoming_events
-- grain: date, hour
-- parameters:

with arrived as (
    select id_hash(event_id) as id_hash
    from incoming_events
)

select distinct k.date, cast(k.hour as int) as hour
from event_ids k
left semi join arrived a on a.id_hash = k.id_hash
order by k.date, hour
