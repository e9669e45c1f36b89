-- Sentences about every history. Each is followed by a query for the rows that break it.

-- every user has a profile
select id from users where id not in (select user_id from user_profiles)

-- addresses belong to nobody
select id from users where email !~ '^[a-z]+\.\d+@example\.(com|org)$'

-- users are adults
select id from users where date_of_birth > created_at - interval '18 years'

-- sessions run forwards
select id from user_sessions where not started_at <= last_seen_at
    or ended_at < last_seen_at or (ended_at is null) <> (exit_reason is null)

-- sessions begin after the sign-up
select s.id from user_sessions s join users u on u.id = s.user_id
    where s.started_at < u.created_at

-- nobody is in two sessions
select id from (select id, from_at, lag(to_at) over (partition by user_id
    order by from_at) as before from spans) s where before > from_at

-- every session that was left in order has telemetry
select id from user_sessions where exit_reason <> 'crash' and id not in
    (select session_id from session_telemetry)

-- an app that died reports nothing
select id from user_sessions where exit_reason = 'crash' and id in
    (select session_id from session_telemetry)

-- telemetry is of its session
select t.session_id from session_telemetry t left join user_sessions s
    on s.id = t.session_id and s.user_id = t.user_id and s.started_at = t.started_at where s.id is null

-- telemetry counts the events
select t.session_id from session_telemetry t
    left join (select session_id, count(*) filter (where event_name in ('screen_view', 'profile_view',
    'subscription_view')) as screens, count(*) as events from behavior_events group by 1) e using (session_id)
    where screens > screens_viewed or events > screens_viewed + actions_taken + 1

-- a row is as new as what it tells (sessions)
select id from user_sessions
    where updated_at <> greatest(started_at, last_seen_at, ended_at)

-- a row is as new as what it tells (subscriptions)
select id from subscriptions
    where updated_at < greatest(started_at, canceled_at, ended_at)

-- a row is as new as what it tells (payments)
select id from payments
    where updated_at <> greatest(paid_at, refunded_at)

-- a row is as new as what it tells (interactions)
select id from interactions
    where updated_at <> greatest(started_at, ended_at)

-- a row is as new as what it tells (queue)
select id from matching_queue
    where updated_at <> greatest(joined_at, left_at) or joined_at > left_at

-- a row is as new as what it tells (reports)
select id from reports
    where updated_at <> greatest(created_at, resolved_at)

-- a row is as new as what it tells (users)
select id from users where updated_at < created_at

-- nobody swipes on themselves
select id from swipes where user_id = target_user_id

-- swipes happen in sessions
select w.id from swipes w where not exists (select from spans s
    where s.user_id = w.user_id and w.created_at between from_at and to_at)

-- nobody is liked twice by one person
select user_id from swipes where action <> 'pass'
    group by user_id, target_user_id having count(*) > 1

-- swipes are on people who are there
select w.id from swipes w join users u on u.id = target_user_id
    where w.created_at < u.created_at

-- pairs are ordered
select id from matches where user_a_id >= user_b_id

-- a match is a mutual like, made by the second one
select m.id from matches m
    left join swipes a on a.user_id = user_a_id and a.target_user_id = user_b_id and a.action <> 'pass'
    left join swipes b on b.user_id = user_b_id and b.target_user_id = user_a_id and b.action <> 'pass'
    where (m.created_at = greatest(a.created_at, b.created_at)) is not true or a.id is null or b.id is null

-- every mutual like is a match
select a.id from swipes a join swipes b on b.user_id = a.target_user_id
    and b.target_user_id = a.user_id and a.user_id < b.user_id
    left join matches on user_a_id = a.user_id and user_b_id = b.user_id
    where a.action <> 'pass' and b.action <> 'pass' and matches.id is null

-- people write to their matches only
select w.id from messages w left join matches m
    on user_a_id = least(sender_id, recipient_id) and user_b_id = greatest(sender_id, recipient_id)
    where (w.created_at > m.created_at) is not true

-- a pair has one conversation
select least(sender_id, recipient_id) from messages
    group by 1, greatest(sender_id, recipient_id) having count(distinct conversation_id) > 1

-- messages are sent in sessions
select w.id from messages w where not exists (select from spans s
    where s.user_id = w.sender_id and w.created_at between from_at and to_at)

-- nobody meets themselves
select id from interactions where initiator_id = partner_id

-- encounters begin in a session of both
select i.id from interactions i where not exists (select from spans s
    where s.user_id = i.initiator_id and i.started_at between from_at and to_at) or not exists (select from spans s
    where s.user_id = i.partner_id and i.started_at between from_at and to_at)

-- whoever meets somebody waited for it
select i.id from interactions i where 2 <> (select count(*)
    from matching_queue q where q.user_id in (initiator_id, partner_id) and q.left_at = i.started_at
    and outcome = 'matched')

-- what is open has no outcome
select id from matching_queue where (left_at is null) <> (outcome is null)

-- encounters that run have no end
select id from interactions where (ended_at is null) <> (end_reason is null)

-- subscribers have one subscription at a time
select id from (select id, started_at, lag(coalesce(ended_at,
    'infinity')) over (partition by user_id order by started_at, ended_at) as before from subscriptions) s
    where before > started_at

-- payments belong to their subscription's owner and time
select p.id from payments p
    left join subscriptions s on s.id = p.subscription_id and s.user_id = p.user_id and paid_at >= started_at
    and (ended_at is null or paid_at <= ended_at) where subscription_id is not null and s.id is null

-- trials are free
select p.id from payments p join subscriptions s on s.id = p.subscription_id
    where paid_at < trial_ends_at

-- a subscription is bought once
select subscription_id from payments where kind = 'initial'
    and status <> 'failed' group by 1 having count(*) > 1

-- renewals follow a purchase
select r.id from payments r where kind = 'renewal' and not exists (select
    from payments i where i.subscription_id = r.subscription_id and i.kind = 'initial' and i.status <> 'failed'
    and i.paid_at < r.paid_at)

-- payments are of the plan's price
select p.id from payments p join subscriptions s on s.id = subscription_id
    where amount <> price or p.currency <> s.currency

-- single purchases have no subscription
select id from payments
    where (kind = 'one_off') <> (subscription_id is null)

-- refunds have a date, an amount, and no more than was paid
select id from payments where
    (status = 'refunded') <> (refunded_at is not null) or (status = 'refunded') <> (refunded_amount is not null)
    or refunded_amount > amount or refunded_at <= paid_at

-- states of subscriptions follow from their dates
select id from subscriptions where status <> case
    when canceled_at is not null then 'canceled' when ended_at is not null then 'expired' else status end
    or (status in ('canceled', 'expired')) <> (canceled_at is not null or ended_at is not null)
    or (status = 'trialing' and trial_ends_at is null)

-- events arrive after they happen, within two days
select event_id from behavior_events
    where received_at <= event_time or received_at > event_time + interval '48 hours'

-- events are somebody's
select event_id from behavior_events where user_id is null and anonymous_id is null

-- events with a session are of its person and span
select e.event_id from behavior_events e
    join spans s on s.id = e.session_id where e.user_id is distinct from s.user_id
    or event_time not between from_at and to_at

-- the event of the sign-up tells whose the device is
select u.id from users u where not exists (select from behavior_events e
    where e.user_id = u.id and e.event_name = 'registration_complete' and e.anonymous_id is not null)
    and u.created_at < (select max(received_at) from behavior_events) - interval '50 hours'

-- events without an account are before it
select e.event_id from behavior_events e
    join behavior_events r on r.anonymous_id = e.anonymous_id and r.event_name = 'registration_complete'
    where e.user_id is null and e.event_time >= r.event_time

-- nobody reports themselves
select id from reports where reporter_id = reported_user_id

-- nobody acts after a ban, a suspension or the end of the account
select u.id from users u where status <> 'active'
    and (exists (select from spans s where s.user_id = u.id and to_at > u.updated_at)
    or exists (select from swipes w where w.user_id = u.id and w.created_at > u.updated_at)
    or exists (select from messages m where m.sender_id = u.id and m.created_at > u.updated_at)
    or exists (select from interactions i where u.id in (initiator_id, partner_id) and i.started_at > u.updated_at)
    or exists (select from reports r where r.reporter_id = u.id and r.created_at > u.updated_at)
    or exists (select from behavior_events e where e.user_id = u.id and event_time > u.updated_at))

-- whoever is banned or gone pays nothing any more
select u.id from users u where status in ('banned', 'deleted')
    and (exists (select from payments p where p.user_id = u.id and paid_at > u.updated_at)
    or exists (select from subscriptions s where s.user_id = u.id and ended_at is null))

-- bans and suspensions were decided by moderation
select id from users u where status in ('banned', 'suspended')
    and not exists (select from moderation_actions a where a.user_id = u.id and a.created_at = u.updated_at
    and a.action = case status when 'banned' then 'ban' else 'suspend' end)

-- moderation acts on reports
select id from moderation_actions a where not exists (select from reports r
    where r.reported_user_id = a.user_id and r.resolved_at <= a.created_at)
