-- What real sources hold and a simulated history does not: staff, people who are gone, spans that make no sense,
-- foreign money. Every rule picks its rows by a hash of their id, so that the rules overlap.

update users set is_internal = true where abs(hashtext(id::text)) % 19 = 1;
update users set country = null where abs(hashtext(id::text)) % 11 = 2;
update users set gender = null where abs(hashtext(id::text)) % 13 = 3;
update users set signup_platform = null where abs(hashtext(id::text)) % 17 = 4;
update users set created_at = date_trunc('day', created_at) where abs(hashtext(id::text)) % 23 = 5;
update users set created_at = date_trunc('day', created_at) - interval '1 microsecond'
where abs(hashtext(id::text)) % 23 = 6;

-- Their sessions, swipes, messages and payments stay.
delete from user_profiles where abs(hashtext(user_id::text)) % 29 = 7;
delete from users where abs(hashtext(id::text)) % 29 = 7;

update user_sessions set platform = null where abs(hashtext(id::text)) % 31 = 1;
update user_sessions set app_version = null where abs(hashtext(id::text)) % 37 = 1;
update user_sessions set exit_reason = null where abs(hashtext(id::text)) % 47 = 1;
-- Across midnight, to midnight exactly, from midnight without any length, backwards, a day, a month, never ended.
update user_sessions set ended_at = date_trunc('day', started_at) + interval '24 hours 40 minutes'
where abs(hashtext(id::text)) % 41 = 1;
update user_sessions set ended_at = date_trunc('day', started_at) + interval '1 day'
where abs(hashtext(id::text)) % 41 = 2;
update user_sessions set started_at = date_trunc('day', started_at), ended_at = date_trunc('day', started_at)
where abs(hashtext(id::text)) % 41 = 3;
update user_sessions set ended_at = started_at - interval '26 hours' where abs(hashtext(id::text)) % 41 = 4;
update user_sessions set ended_at = started_at + interval '24 hours' where abs(hashtext(id::text)) % 41 = 5;
update user_sessions set ended_at = started_at + interval '31 days' where abs(hashtext(id::text)) % 101 = 6;
update user_sessions set ended_at = null, last_seen_at = started_at + interval '3 days'
where abs(hashtext(id::text)) % 101 = 7;
update user_sessions set ended_at = null, last_seen_at = started_at - interval '1 hour'
where abs(hashtext(id::text)) % 101 = 8;
update user_sessions set ended_at = null, last_seen_at = started_at + interval '20 minutes'
where abs(hashtext(id::text)) % 101 = 9;

update interactions set ended_at = started_at - interval '1 minute' where abs(hashtext(id::text)) % 23 = 1;
update interactions set ended_at = started_at + interval '40 hours' where abs(hashtext(id::text)) % 53 = 2;
update interactions set ended_at = null where abs(hashtext(id::text)) % 23 = 3;

update payments set currency = 'EUR' where abs(hashtext(id::text)) % 13 = 1;
update payments set status = 'failed' where abs(hashtext(id::text)) % 17 = 2;
update payments set status = 'refunded', refunded_at = paid_at + interval '5 days', refunded_amount = round(amount / 3, 2)
where abs(hashtext(id::text)) % 11 = 3;
update payments set status = 'refunded', refunded_at = paid_at + interval '1 minute', refunded_amount = null
where abs(hashtext(id::text)) % 11 = 4;
update payments set status = 'refunded', refunded_at = null, refunded_amount = null
where abs(hashtext(id::text)) % 11 = 5;
-- A refund noted on a payment that never was.
update payments set status = 'failed', refunded_at = paid_at + interval '2 days' where abs(hashtext(id::text)) % 47 = 6;
update subscriptions set currency = 'EUR' where abs(hashtext(id::text)) % 13 = 1;
update subscriptions set ended_at = date_trunc('day', started_at) + interval '9 days'
where abs(hashtext(id::text)) % 7 = 2;
update payments p set paid_at = date_trunc('day', paid_at) where abs(hashtext(id::text)) % 7 = 1;

-- A second first purchase, at the very same instant.
insert into payments (id, user_id, subscription_id, kind, amount, currency, status, paid_at, updated_at)
select md5(id::text || 'again')::uuid, user_id, subscription_id, kind, amount, currency, status, paid_at, updated_at
from payments where kind = 'initial' and abs(hashtext(id::text)) % 5 = 1;
insert into swipes (id, user_id, target_user_id, action, created_at)
select md5(id::text || 'again')::uuid, user_id, target_user_id, action, created_at
from swipes where abs(hashtext(id::text)) % 211 = 1;
insert into user_sessions
    (id, user_id, platform, app_version, country, started_at, last_seen_at, ended_at, exit_reason, updated_at)
select md5(id::text || 'again')::uuid, user_id, 'web', app_version, country, started_at, last_seen_at, ended_at,
    exit_reason, updated_at
from user_sessions where abs(hashtext(id::text)) % 211 = 2;

-- More subscriptions than people who take them: of every third user, five in a row that leave gaps or overlap, for every
-- interval and for those that nobody knows, whose plans tell them by their suffix or not at all.
create temporary table market as
select u.id as user_id, md5(u.id::text || n)::uuid as id, md5(u.id::text || (n - 1))::uuid as previous_id, n
from users u cross join generate_series(1, 5) as n
where abs(hashtext(u.id::text)) % 3 = 1;
insert into subscriptions
    (id, user_id, plan, billing_interval, price, currency, status, started_at, canceled_at, ended_at, updated_at)
select id, user_id,
    (array['gold', 'silver_weekly', 'silver_monthly', 'silver_quarterly', 'silver_semiannual', 'silver_annual',
        'silver_yearly'])[1 + h % 7],
    (array['week', 'month', 'quarter', 'half_year', 'year', 'fortnight', null, null])[1 + h % 8],
    (h % 5000) / 100.0, case when h % 13 = 1 then 'EUR' else 'USD' end, 'active', start,
    case when h % 3 = 1 then start + interval '3 days' end,
    -- For good, in the same minute, on the same day, before it began, at midnight, after days.
    case h % 11
        when 0 then null
        when 1 then start
        when 2 then start + interval '20 minutes'
        when 3 then start - interval '30 hours'
        when 4 then date_trunc('day', start) + interval '1 day'
        else start + h % 40000 * interval '1 minute'
    end,
    start
from market
cross join lateral (select abs(hashtext(id::text)) as h) hash
cross join lateral (
    select timestamptz '2025-11-28T00:00:00Z' + n * interval '16 days' + h % 28800 * interval '1 minute' as start
) starts;
-- At once, within the day or the next one: a change of plan, or of price alone.
update subscriptions s set started_at = p.ended_at + abs(hashtext(s.id::text)) % 3 * interval '9 hours',
    plan = case when abs(hashtext(s.id::text)) % 2 = 1 then p.plan else s.plan end
from market m join subscriptions p on p.id = m.previous_id
where s.id = m.id and abs(hashtext(s.id::text)) % 5 > 2 and p.ended_at < s.ended_at;
-- On its first day, after a trial, or never.
insert into payments (id, user_id, subscription_id, kind, amount, currency, status, paid_at, updated_at)
select md5(id::text || 'paid')::uuid, user_id, id, 'initial', price, currency, 'succeeded',
    started_at + case when abs(hashtext(id::text)) % 6 = 1 then interval '3 days' else interval '0' end, started_at
from subscriptions where id in (select id from market) and abs(hashtext(id::text)) % 17 <> 1;
insert into payments
    (id, user_id, subscription_id, kind, amount, currency, status, paid_at, refunded_at, refunded_amount, updated_at)
select md5(id::text || 'again')::uuid, user_id, id, 'renewal', price, currency, 'refunded', started_at + interval '7 days',
    started_at + interval '8 days', case when abs(hashtext(id::text)) % 2 = 1 then price / 3 end, started_at
from subscriptions where id in (select id from market) and abs(hashtext(id::text)) % 4 = 2;
-- For a subscription that is not there, or for none.
update payments set subscription_id = md5(id::text)::uuid where abs(hashtext(id::text)) % 43 = 11;
update payments set subscription_id = null where abs(hashtext(id::text)) % 43 = 12;
-- To the hour and from the hour exactly; on a second device for a while, and from the instant at which the first ended.
update user_sessions set ended_at = date_trunc('hour', started_at) + interval '1 hour'
where abs(hashtext(id::text)) % 43 = 1;
update user_sessions set started_at = date_trunc('hour', started_at) where abs(hashtext(id::text)) % 43 = 2;
insert into user_sessions
    (id, user_id, platform, app_version, country, started_at, last_seen_at, ended_at, exit_reason, updated_at)
select md5(id::text || 'beside')::uuid, user_id, 'web', app_version, country, started_at + (ended_at - started_at) / 2,
    last_seen_at, ended_at + interval '10 minutes', exit_reason, updated_at
from user_sessions where ended_at > started_at and abs(hashtext(id::text)) % 53 = 1;
insert into user_sessions
    (id, user_id, platform, app_version, country, started_at, last_seen_at, ended_at, exit_reason, updated_at)
select md5(id::text || 'after')::uuid, user_id, platform, app_version, country, ended_at, ended_at,
    ended_at + interval '10 minutes', exit_reason, updated_at
from user_sessions
where ended_at between started_at and started_at + interval '6 hours' and abs(hashtext(id::text)) % 53 = 2;

-- Who never left the queue, left it before joining or at once, waited for a month, or left as the hour ended.
update matching_queue set left_at = null where abs(hashtext(id::text)) % 11 = 1;
update matching_queue set left_at = joined_at - interval '1 minute' where abs(hashtext(id::text)) % 11 = 2;
update matching_queue set left_at = joined_at where abs(hashtext(id::text)) % 11 = 3;
update matching_queue set left_at = joined_at + interval '31 days' where abs(hashtext(id::text)) % 11 = 4;
update matching_queue set left_at = date_trunc('hour', joined_at) + interval '1 hour'
where abs(hashtext(id::text)) % 11 = 5;

-- Telemetry of a session that nobody knows, or of the day before by a wrong clock.
update session_telemetry set session_id = md5(session_id::text || 'lost')::uuid
where abs(hashtext(session_id::text)) % 17 = 1;
update session_telemetry set started_at = started_at - interval '1 day'
where abs(hashtext(session_id::text)) % 17 = 2;

-- Messages at the first and last instants of their sender's sessions, and beside them.
insert into messages (id, conversation_id, sender_id, recipient_id, kind, created_at)
select md5(s.id::text || n)::uuid, m.conversation_id, m.sender_id, m.recipient_id, 'text',
    case n % 2 when 0 then s.started_at else s.ended_at end + (n / 2 - 1) * interval '1 microsecond'
from user_sessions s
cross join generate_series(0, 5) as n
cross join lateral (select * from messages m where m.sender_id = s.user_id order by m.id limit 1) m
where s.ended_at between s.started_at and s.started_at + interval '6 hours' and abs(hashtext(s.id::text)) % 31 = 2;

-- Devices that several people use, events of users without a device, and many events of one instant.
update behavior_events set anonymous_id = (select min(anonymous_id) from behavior_events)
where abs(hashtext(anonymous_id)) % 23 = 2;
update behavior_events set anonymous_id = null where user_id is not null and abs(hashtext(event_id)) % 37 = 3;
update behavior_events set event_time = date_trunc('hour', event_time) where abs(hashtext(event_id)) % 41 = 4;
