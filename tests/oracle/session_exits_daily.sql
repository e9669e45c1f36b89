-- metrics.md 3, "total_sessions", by how they ended: still open, for the source's reason, or for none that it tells.
with endings as (
    select day, 'open' as reason from oracle.sessions join user_sessions using (id) where ended_at is null
    union all
    select day, exit_reason from oracle.sessions join user_sessions using (id)
    where ended_at is not null and exit_reason is not null
    union all
    select day, 'unknown' from oracle.sessions join user_sessions using (id)
    where ended_at is not null and exit_reason is null
)
select day as date, reason as exit_reason, count(*) as sessions
from endings
where day >= {from}::date and day < {to}::date
group by day, reason
