-- How the day's sessions ended.
select {day} as date, exit_reason, count(*) as sessions
from sessions
where started_at >= {start} and started_at < {end}
group by exit_reason
