-- How far everyone came who did the first step: of each step after it, the first time at or after the one before it,
-- within 14 days of the first.
with owners as (
    select anonymous_key, arg_min(user_key, (event_time, event_id)) as user_key
    from aliases
    group by anonymous_key
),

moments as materialized (
    select coalesce(e.user_key, o.user_key, e.anonymous_key) as person, event_name, event_time as moment
    from events e
    left join owners o using (anonymous_key)
    where event_name in ('app_open', 'profile_view', 'swipe', 'message_send', 'subscription_view')
),

one as (
    select person, min(moment) as at1
    from moments
    where event_name = 'app_open' and person not in (from internal_users)
    group by person
),

two as (
    select person, at1, min(moment) as at2
    from one join moments using (person)
    where event_name = 'profile_view' and moment between at1 and at1 + interval 14 days
    group by all
),

three as (
    select person, at1, at2, min(moment) as at3
    from two join moments using (person)
    where event_name = 'swipe' and moment between at2 and at1 + interval 14 days
    group by all
),

four as (
    select person, at1, at2, at3, min(moment) as at4
    from three join moments using (person)
    where event_name = 'message_send' and moment between at3 and at1 + interval 14 days
    group by all
),

five as (
    select person, at1, at2, at3, at4, min(moment) as at5
    from four join moments using (person)
    where event_name = 'subscription_view' and moment between at4 and at1 + interval 14 days
    group by all
),

reached as (
    select at1::date as date, 1 as step, 'app_open' as name, epoch_us(at2) - epoch_us(at1) as micros
    from one left join two using (person, at1)
    union all
    select at1::date, 2, 'profile_view', epoch_us(at3) - epoch_us(at2) from two left join three using (person, at1, at2)
    union all
    select at1::date, 3, 'swipe', epoch_us(at4) - epoch_us(at3) from three left join four using (person, at1, at2, at3)
    union all
    select at1::date, 4, 'message_send', epoch_us(at5) - epoch_us(at4)
    from four left join five using (person, at1, at2, at3, at4)
    union all
    select at1::date, 5, 'subscription_view', null from five
),

counted as (
    select
        date,
        step,
        count(*) as people,
        count(micros) as went_on,
        sum(micros)::double / 1e6 / count(micros) as mean,
        quantile_cont(micros, 0.5) / 1e6 as median,
        quantile_cont(micros, 0.9) / 1e6 as p90
    from reached
    group by date, step
),

steps as (
    select day::date as date, step, name
    from generate_series($from, $to - 1, interval 1 day) days(day),
        (values
            (1, 'app_open'), (2, 'profile_view'), (3, 'swipe'), (4, 'message_send'), (5, 'subscription_view')
        ) s(step, name)
)

select
    date,
    'shop_window',
    step,
    name,
    coalesce(people, 0),
    case when step < 5 then coalesce(went_on, 0) end,
    case when step < 5 then went_on * 100.0 / people end,
    mean,
    median,
    p90,
    (date + 1)::timestamp <= $as_of - interval 14 days
from steps
left join counted using (date, step)
order by date, step
