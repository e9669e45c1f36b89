-- What several tables are computed from, once. {day}, {start}, {end}: the date, and its two midnights.
set work_mem = '128MB';
set temp_buffers = '512MB';

create temp table staff as select id from users where is_internal;
create unique index on staff (id);
analyze staff;

-- As far back as the quarter, and the 90 days of the session lengths; a span is no longer than a day.
create temp table sessions as
select
    user_id, coalesce(platform, 'unknown') as platform, coalesce(app_version, 'unknown') as app_version, started_at,
    greatest(started_at, least(coalesce(ended_at, last_seen_at), started_at + interval '24 hours')) as finish,
    case when ended_at >= started_at then date_part('epoch', least(ended_at - started_at, interval '24 hours')) end
        as seconds,
    case when ended_at is null then 'open' else coalesce(exit_reason, 'unknown') end as exit_reason
from user_sessions
where started_at >= least(date_trunc('quarter', {start}, 'UTC'), {start} - interval '90 days') - interval '24 hours'
    and user_id not in (select id from staff);
create index on sessions (started_at);
analyze sessions;

create temp table present as
select distinct user_id, platform, app_version from sessions
where started_at >= {start} - interval '24 hours' and started_at < {end}
    and (finish > {start} or started_at >= {start});
create temp table today as select distinct user_id from present;
create temp table yesterday as
select distinct user_id from sessions
where started_at >= {start} - interval '48 hours' and started_at < {start}
    and (finish > {start} - interval '24 hours' or started_at >= {start} - interval '24 hours');
analyze present;
analyze today;
analyze yesterday;

create temp table paid as
select user_id, subscription_id, kind, amount, paid_at, coalesce(refunded_amount, amount) as refund, refunded_at
from payments
where status <> 'failed' and currency = 'USD' and user_id not in (select id from staff);
create index on paid (paid_at);
analyze paid;

create temp table plans as
select
    s.user_id, s.plan, s.started_at, s.canceled_at, s.ended_at, p.paid_at,
    round(
        s.price / case coalesce(s.billing_interval, substring(s.plan from '_([a-z]+)$'))
            when 'week' then 12 / 52.0 when 'weekly' then 12 / 52.0
            when 'quarter' then 3 when 'quarterly' then 3
            when 'half_year' then 6 when 'semiannual' then 6
            when 'year' then 12 when 'annual' then 12 when 'yearly' then 12
            else 1
        end,
        6
    ) as monthly
from subscriptions s
left join (
    select subscription_id as id, min(paid_at) as paid_at from paid where kind = 'initial' group by subscription_id
) p using (id)
where s.currency = 'USD' and s.user_id not in (select id from staff);
analyze plans;
