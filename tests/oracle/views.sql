-- The sources as the definitions see them: without staff, spans capped, other money left out. In PostgreSQL's own
-- words, over raw ids.

create schema oracle;

create table oracle.staff as select id from users where is_internal;

create table oracle.people as
select id, created_at, (created_at at time zone 'UTC')::date as born,
    coalesce(country, 'unknown') as country, coalesce(gender, 'unknown') as gender,
    coalesce(signup_platform, 'unknown') as signup_platform
from users where id not in (select id from oracle.staff);
create index on oracle.people (created_at);
create index on oracle.people (born);
create unique index on oracle.people (id);

create table oracle.sessions as
select
    id, user_id, started_at,
    (started_at at time zone 'UTC')::date as day,
    coalesce(platform, 'unknown') as platform,
    coalesce(app_version, 'unknown') as app_version,
    case
        when coalesce(ended_at, last_seen_at) <= started_at then started_at
        when coalesce(ended_at, last_seen_at) - started_at > interval '24 hours' then started_at + interval '24 hours'
        else coalesce(ended_at, last_seen_at)
    end as finish,
    case when ended_at - started_at >= interval '0' then
        extract(epoch from least(ended_at - started_at, interval '24 hours'))
    end as seconds
from user_sessions where user_id not in (select id from oracle.staff);
create index on oracle.sessions (started_at);
create index on oracle.sessions (day);

-- Who was there on which day, and with what.
create table oracle.presence as
select distinct d.day::date as day, s.user_id, s.platform, s.app_version
from oracle.sessions s
cross join generate_series(s.day, (s.finish at time zone 'UTC')::date, interval '1 day') as d (day)
where s.started_at < (d.day::date + 1)::timestamp at time zone 'UTC'
    and (s.finish > d.day::date::timestamp at time zone 'UTC' or s.started_at >= d.day::date::timestamp at time zone 'UTC');
create index on oracle.presence (day, user_id);

create table oracle.paid as
select *, (paid_at at time zone 'UTC')::date as day, (refunded_at at time zone 'UTC')::date as refund_day,
    coalesce(refunded_amount, amount) as refund
from payments
where status <> 'failed' and currency = 'USD' and user_id not in (select id from oracle.staff);

create table oracle.intervals (name text, months numeric);
insert into oracle.intervals values
    ('week', 12 / 52.0), ('month', 1), ('quarter', 3), ('half_year', 6), ('year', 12),
    ('_weekly', 12 / 52.0), ('_monthly', 1), ('_quarterly', 3), ('_semiannual', 6), ('_annual', 12), ('_yearly', 12);

create table oracle.subscriptions as
select id, user_id, plan, started_at, canceled_at, ended_at,
    (select min(p.paid_at) from oracle.paid p where p.subscription_id = s.id and p.kind = 'initial') as paid_at,
    round(
        price / coalesce(
            (select months from oracle.intervals where name = s.billing_interval),
            (select months from oracle.intervals where name = substring(s.plan from '_[a-z]+$')),
            1
        ),
        6
    ) as monthly
from subscriptions s
where currency = 'USD' and user_id not in (select id from oracle.staff);

create table oracle.messages as
select sender_id, (created_at at time zone 'UTC')::date as day
from messages
where sender_id not in (select id from oracle.staff) and recipient_id not in (select id from oracle.staff);
create index on oracle.messages (day);

create table oracle.calls as
select kind, (started_at at time zone 'UTC')::date as day,
    case when ended_at >= started_at then extract(epoch from least(ended_at - started_at, interval '24 hours')) end
        as seconds
from interactions
where initiator_id not in (select id from oracle.staff) and partner_id not in (select id from oracle.staff);

create table oracle.likes as
select (created_at at time zone 'UTC')::date as day
from swipes
where action like '%like' and user_id not in (select id from oracle.staff)
    and target_user_id not in (select id from oracle.staff);
create index on oracle.likes (day);

-- Who did what the onboarding funnel asks for, and when.
create table oracle.moments as
with events as (
    -- A clock that is more than a day ahead is not believed.
    select event_id, user_id, anonymous_id, event_name,
        case when event_time > received_at + interval '24 hours' then received_at else event_time end as at
    from behavior_events where user_id is not null or anonymous_id is not null
),
owners as (
    select distinct on (anonymous_id) anonymous_id, user_id
    from events where user_id is not null and anonymous_id is not null
    order by anonymous_id, at, event_id collate "C"
),
done (step, person, at) as (
    select n, coalesce(e.user_id::text, o.user_id::text, e.anonymous_id), at
    from events e
    join (values (1, 'app_open'), (2, 'registration_start'), (7, 'subscription_view')) as s (n, name)
        on name = event_name
    left join owners o on o.anonymous_id = e.anonymous_id
    union all
    select 3, id::text, created_at from users
    union all
    select 4, user_id::text, started_at from user_sessions
    union all
    select 5, user_a_id::text, created_at from matches where user_b_id not in (select id from oracle.staff)
    union all
    select 5, user_b_id::text, created_at from matches where user_a_id not in (select id from oracle.staff)
    union all
    select 6, sender_id::text, created_at from messages where recipient_id not in (select id from oracle.staff)
    union all
    select 8, user_id::text, paid_at from oracle.paid where kind = 'initial'
)
select step, person, at from done where person not in (select id::text from oracle.staff);
create index on oracle.moments (person, step, at);

-- Their way from step to step, the first instant of each that is not before the last one's and within 14 days.
create table oracle.onboarding as
with recursive walk as (
    select person, 1 as step, min(at) as entered, min(at) as at from oracle.moments where step = 1 group by person
    union all
    select w.person, w.step + 1, w.entered, n.at
    from walk w
    cross join lateral (
        select min(m.at) as at from oracle.moments m
        where m.person = w.person and m.step = w.step + 1 and m.at between w.at and w.entered + interval '14 days'
    ) n
    where n.at is not null
)
select person, step, (entered at time zone 'UTC')::date as day,
    extract(epoch from lead(at) over (partition by person order by step) - at)::double precision as seconds
from walk;

analyze;
