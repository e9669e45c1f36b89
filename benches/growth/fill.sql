-- What happens from {from} until {until}, {volume} rows a day of all facts together, by {users} people. Those who are
-- not among the last 39 days' newcomers have registered before {first}, so that every history has the same people.
insert into users (id, email, username, password_hash, gender, country, signup_platform, created_at, updated_at)
select id_of(i), i || '@example.org', 'user' || i, 'x', (array['female', 'male', 'nonbinary', null])[1 + i % 4],
    (array['DE', 'FR', 'US', 'BR', 'JP', null])[1 + i % 6], (array['ios', 'android', 'web'])[1 + i % 3], at, at
from (
    select i, case when i % 20 = 0 then timestamptz '{day}' - (i / 20 % 39) * interval '1 day' + i % 1400 * interval '1 minute'
        else timestamptz '{first}' - interval '1 day' + i % 1400 * interval '1 minute' end as at
    from generate_series(0::bigint, {users} - 1) as i
) as people
where at >= '{from}' and at < '{until}' or '{from}'::timestamptz = '{first}' and at < '{from}';

insert into user_sessions
select id_of(n), id_of(drawn(n, 1, {users})), (array['ios', 'android', 'web'])[1 + drawn(n, 2, 3)], '4.' || n % 20 || '.1',
    (array['DE', 'FR', 'US', 'BR', 'JP', null])[1 + n % 6], at, at + interval '9 minutes', at + interval '10 minutes',
    (array['logout', 'background', 'timeout'])[1 + n % 3], at + interval '10 minutes'
from moments('{from}', '{until}', {volume} / 5);

insert into session_telemetry
select id_of(n), id_of(drawn(n, 1, {users})), at, n % 30, n % 10, at + interval '10 minutes'
from moments('{from}', '{until}', {volume} / 5);

insert into swipes
select id_of(n), id_of(drawn(n, 1, {users})), id_of(drawn(n, 2, {users})), (array['like', 'pass', 'super_like'])[1 + n % 3], at
from moments('{from}', '{until}', {volume} / 5);

insert into matches
select id_of(n), id_of(least(one, other)), id_of(greatest(one, other)), at
from (
    select n, at, drawn(n, 1, {users}) as one, drawn(n, 2, {users}) as other
    from moments('{from}', '{until}', {volume} / 50)
) as pairs
where one <> other
on conflict do nothing;

insert into interactions
select id_of(n), (array['video', 'voice', 'text'])[1 + n % 3], id_of(drawn(n, 1, {users})), id_of(drawn(n, 2, {users})), at,
    at + interval '5 minutes', 'left', at + interval '5 minutes'
from moments('{from}', '{until}', {volume} / 50);

insert into matching_queue
select id_of(n), id_of(drawn(n, 1, {users})), at, at + interval '1 minute', 'matched', at + interval '1 minute'
from moments('{from}', '{until}', {volume} / 50);

insert into messages
select id_of(n), id_of(n / 10), id_of(drawn(n, 1, {users})), id_of(drawn(n, 2, {users})), 'text', 'hello', at
from moments('{from}', '{until}', {volume} / 6);

insert into behavior_events
select 'e' || n, case when n % 10 > 0 then id_of(drawn(n, 1, {users})) end, 'd' || drawn(n, 1, {users}), null,
    (array['app_open', 'profile_view', 'search', 'like', 'message_open', 'settings', 'registration_start',
        'subscription_view'])[1 + drawn(n, 2, 8)],
    '{"screen": "home"}', at, at, (array['ios', 'android', 'web'])[1 + drawn(n, 3, 3)], '4.1.1', 'DE'
from moments('{from}', '{until}', {volume} / 4);

insert into reports
select id_of(n), id_of(drawn(n, 1, {users})), id_of(drawn(n, 2, {users})), 'spam', at, null, at
from moments('{from}', '{until}', {volume} / 500);

-- Paid for once, and over after 20 days: every day but the first 20 has as many as the next.
insert into subscriptions
select id_of(n), id_of(drawn(n, 1, {users})), 'premium_monthly', 'month', 19.90, 'USD', 'active', at, null, null, null, at
from moments('{from}', '{until}', {volume} / 1000);

update subscriptions
set status = 'expired', ended_at = started_at + interval '20 days', updated_at = started_at + interval '20 days'
where started_at < timestamptz '{until}' - interval '20 days' and ended_at is null;

insert into payments
select id_of(n), id_of(drawn(n, 1, {users})), id_of(n), 'initial', 19.90, 'USD', 'succeeded', at, null, null, at
from moments('{from}', '{until}', {volume} / 1000);

insert into payments
select id_of(n + (1::bigint << 60)), id_of(drawn(n, 2, {users})), null, 'one_off', 4.99, 'USD', 'succeeded', at, null, null, at
from moments('{from}', '{until}', {volume} / 500);
