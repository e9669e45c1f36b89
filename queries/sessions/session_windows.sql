-- How many sessions started in the 7, 30 and 90 days that end with each day, and how long they lasted.
-- implements: metrics.md 7, "session_duration"; 1, "Percentiles are interpolated", "null is not zero"
-- reads: user_sessions, internal_users
-- grain: as_of, timeframe
-- parameters: from, to

with frames as (
    select as_of, unnest(make_array('7d', '30d', '90d')) as timeframe
    from (select unnest(generate_series($from, $to - interval '1 day', interval '1 day')) as as_of)
),

frame_days as (
    select
        as_of,
        timeframe,
        unnest(generate_series(
            case timeframe
                when '7d' then as_of - interval '6 days'
                when '30d' then as_of - interval '29 days'
                else as_of - interval '89 days'
            end,
            as_of,
            interval '1 day'
        )) as date
    from frames
),

-- Dates that lie in the same windows are one: those that every window of a length holds, and no shorter one. Its name is
-- the first of them.
sessions as (
    select
        s.user_key,
        case
            when s.date >= $to - interval '90 days' and s.date < $from - interval '29 days' then $to - interval '90 days'
            when s.date >= $to - interval '30 days' and s.date < $from - interval '6 days' then $to - interval '30 days'
            when s.date >= $to - interval '7 days' and s.date <= $from then $to - interval '7 days'
            else s.date
        end as date,
        -- What is open, or ends before it starts, is -1 on the way, and has no length.
        nullif(
            least(greatest(cast(s.ended_at as bigint) - cast(s.started_at as bigint), -1), 86400000000),
            -1
        ) as micros
    from user_sessions s
    where s.date >= $from - interval '89 days' and s.date < $to
),

-- Its date and its whole seconds, as one number; without a length, 99999 seconds, which none has.
numbered as (
    select
        user_key,
        cast(cast(date as int) as bigint) * 100000 + coalesce(micros / 1000000, 99999) as second_of_date,
        micros
    from sessions
),

-- A session lies in up to 127 windows: by whole seconds first, so that few rows are spread over them, and not sessions.
seconds as materialized (
    select second_of_date / 100000 as day, nullif(second_of_date % 100000, 99999) as second, sessions, closed, micros
    from (
        select second_of_date, count(*) as sessions, count(micros) as closed, sum(micros) as micros
        from numbered n
        left anti join internal_users i on i.user_key = n.user_key
        group by second_of_date
    )
),

spread as materialized (
    select
        f.as_of,
        f.timeframe,
        s.second,
        sum(s.sessions) as sessions,
        sum(s.closed) as closed,
        sum(s.micros) as micros
    from frame_days f
    join seconds s on s.day = cast(f.date as int)
    group by f.as_of, f.timeframe, s.second
),

totals as (
    select as_of, timeframe, sum(sessions) as sessions, sum(closed) as closed, sum(micros) as micros
    from spread
    group by as_of, timeframe
),

-- How many sessions of its window are shorter than a second's, and how many have a length at all.
placed as (
    select
        as_of,
        timeframe,
        second,
        closed,
        sum(closed) over (partition by as_of, timeframe order by second rows unbounded preceding) - closed as shorter,
        sum(closed) over (partition by as_of, timeframe) as of
    from spread
    where second is not null
),

-- The seconds that hold the two lengths around each percentile, which lies at (of - 1) times 0.5 and 0.9.
sought as (
    select as_of, timeframe, second, shorter, of
    from placed
    where (shorter <= of / 2 and shorter + closed > (of - 1) / 2)
        or (shorter <= 9 * (of - 1) / 10 + 1 and shorter + closed > 9 * (of - 1) / 10)
),

sought_of_dates as (
    select
        k.as_of,
        k.timeframe,
        k.second,
        k.shorter,
        k.of,
        cast(cast(f.date as int) as bigint) * 100000 + k.second as second_of_date
    from sought k
    join frame_days f on f.as_of = k.as_of and f.timeframe = k.timeframe
),

-- Their sessions alone are looked at one by one. They are few, so that staff is left out after they are found.
ranked as (
    select
        k.as_of,
        k.timeframe,
        k.of,
        s.micros,
        k.shorter - 1 + row_number() over (partition by k.as_of, k.timeframe, k.second order by s.micros) as rank
    from sought_of_dates k
    join numbered s on s.second_of_date = k.second_of_date
    left anti join internal_users i on i.user_key = s.user_key
),

around as (
    select
        as_of,
        timeframe,
        max(of) as of,
        max(micros) filter (where rank = (of - 1) / 2) as median_below,
        max(micros) filter (where rank = of / 2) as median_above,
        max(micros) filter (where rank = 9 * (of - 1) / 10) as p90_below,
        max(micros) filter (where rank = least(9 * (of - 1) / 10 + 1, of - 1)) as p90_above
    from ranked
    group by as_of, timeframe
)

select
    f.as_of,
    f.timeframe,
    coalesce(t.sessions, 0) as sessions,
    cast(t.micros as double) / 1000000 / t.closed as mean_duration,
    cast(a.median_below + a.median_above as double) / 2 / 1000000 as median_duration,
    -- Tenths of the way from the one to the other.
    cast(a.p90_below * 10 + (a.p90_above - a.p90_below) * (9 * (a.of - 1) % 10) as double) / 10 / 1000000 as p90_duration
from frames f
left join totals t on t.as_of = f.as_of and t.timeframe = f.timeframe
left join around a on a.as_of = f.as_of and a.timeframe = f.timeframe
order by f.as_of, f.timeframe
