-- Answers:    which reports of one user by another were made in a window.
-- Reads:      reports, in the moderation database.
-- Grain:      one row per report.
-- Parameters: $from, $to: the window of created_at, from an instant up to, and without, another.
select
    id,
    reporter_id,
    reported_user_id,
    category,
    created_at,
    resolved_at,
    updated_at
from reports
where created_at >= $from
    and created_at < $to
