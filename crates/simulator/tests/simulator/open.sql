-- What is open at the end of a history in its liveliest days. Each is followed by a query for the number of its cases.

-- sessions under way
select count(*) from user_sessions where ended_at is null
    and last_seen_at > timestamptz '2026-11-20T20:14:00Z'

-- people waiting
select count(*) from matching_queue where left_at is null

-- encounters under way
select count(*) from interactions where ended_at is null

-- open reports
select count(*) from reports where resolved_at is null
