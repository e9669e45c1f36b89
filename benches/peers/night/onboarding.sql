-- Everybody's way through the onboarding funnel: those who entered it in the 104 days that the windows reach back to.
-- A clock that is more than a day ahead is not believed.

-- Whose a device is: the user that it was seen with first.
create temp table owners as
with seen as materialized (
    select anonymous_id, user_id,
        min(case when event_time > received_at + interval '24 hours' then received_at else event_time end) as at
    from behavior_events where user_id is not null and anonymous_id is not null
    group by anonymous_id, user_id
)
select distinct on (anonymous_id) anonymous_id, user_id from seen order by anonymous_id, at;
create unique index on owners (anonymous_id);
analyze owners;

create temp table asked as
select
    event_name, coalesce(e.user_id, o.user_id) as user_id,
    case when coalesce(e.user_id, o.user_id) is null then anonymous_id end as device,
    case when event_time > received_at + interval '24 hours' then received_at else event_time end as at
from behavior_events e
left join owners o using (anonymous_id)
where event_name in ('app_open', 'registration_start', 'subscription_view')
    and (e.user_id is not null or anonymous_id is not null)
    and (coalesce(e.user_id, o.user_id) is null or coalesce(e.user_id, o.user_id) not in (select id from staff));
create index on asked (user_id, event_name, at);
create index on asked (device, event_name, at);
analyze asked;

create temp table onboarding as
with entered as materialized (
    select user_id, device, min(at) as at from asked where event_name = 'app_open' group by user_id, device
    having min(at) >= {start} - interval '103 days' and min(at) < {end}
)
select
    (s1.at at time zone 'UTC')::date as day,
    array[s1.at, s2.at, s3.at, s4.at, s5.at, s6.at, s7.at, s8.at] as ats
from entered s1
left join lateral (
    select at from (
        (
            select at from asked a
            where a.user_id = s1.user_id and event_name = 'registration_start'
                and at between s1.at and s1.at + interval '14 days'
            order by at limit 1
        )
        union all
        (
            select at from asked a
            where a.device = s1.device and event_name = 'registration_start'
                and at between s1.at and s1.at + interval '14 days'
            order by at limit 1
        )
    ) either
) s2 on true
left join lateral (
    select created_at as at from users u
    where u.id = s1.user_id and created_at between s2.at and s1.at + interval '14 days'
) s3 on true
left join lateral (
    select started_at as at from user_sessions s
    where s.user_id = s1.user_id and started_at between s3.at and s1.at + interval '14 days'
    order by started_at limit 1
) s4 on true
left join lateral (
    select least(
        (
            select created_at from matches m
            where m.user_a_id = s1.user_id and created_at between s4.at and s1.at + interval '14 days'
                and user_b_id not in (select id from staff)
            order by created_at limit 1
        ),
        (
            select created_at from matches m
            where m.user_b_id = s1.user_id and created_at between s4.at and s1.at + interval '14 days'
                and user_a_id not in (select id from staff)
            order by created_at limit 1
        )
    ) as at
) s5 on true
left join lateral (
    select created_at as at from messages m
    where m.sender_id = s1.user_id and created_at between s5.at and s1.at + interval '14 days'
        and recipient_id not in (select id from staff)
    order by created_at limit 1
) s6 on true
left join lateral (
    select at from asked a
    where a.user_id = s1.user_id and event_name = 'subscription_view'
        and at between s6.at and s1.at + interval '14 days'
    order by at limit 1
) s7 on true
left join lateral (
    select paid_at as at from payments p
    where p.user_id = s1.user_id and paid_at between s7.at and s1.at + interval '14 days'
        and kind = 'initial' and status <> 'failed' and currency = 'USD'
    order by paid_at limit 1
) s8 on true;

-- A row a step that somebody reached, with the seconds to the next.
create temp table steps as
select day, step, date_part('epoch', ats[step + 1] - ats[step]) as seconds
from onboarding cross join generate_series(1, 8) as step
where ats[step] is not null;
create index on steps (step, day);
analyze steps;
