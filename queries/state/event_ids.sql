-- A hash of each event's id, by the hour in which it lies.
-- implements: metrics.md 2, "de-duplicated on event_id, across dates"
-- reads: events
-- grain: date, hour, event_id
-- parameters: from, to

select date, id_hash(event_id) as id_hash, cast(date_part('hour', event_time) as int) as hour
from events
where date >= $from and date < $to
order by date, id_hash
