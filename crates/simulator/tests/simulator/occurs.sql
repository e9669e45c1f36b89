-- What occurs in every larger history. Each is followed by a query for the number of its cases.

-- sessions across midnight
select count(*) from spans where date_trunc('day', to_at, 'UTC') > from_at

-- sessions never closed
select count(*) from user_sessions where ended_at is null
    and last_seen_at < timestamptz '2026-11-20T08:00:00Z'

-- visitors who never register
select count(*) from (select anonymous_id from behavior_events group by 1
    having count(user_id) = 0) v

-- events of one device before and after the sign-up
select count(*) from (select anonymous_id
    from behavior_events group by 1 having count(user_id) between 1 and count(*) - 1) v

-- events late by hours
select count(*) from behavior_events where received_at > event_time + interval '3 h'

-- events late by more than a day
select count(*) from behavior_events where received_at > event_time + interval '1 day'

-- sessions without telemetry
select count(*) from user_sessions where id not in (select session_id from session_telemetry)

-- people who wait on for ever
select count(*) from matching_queue where left_at is null

-- staff who are active
select count(*) from user_sessions where user_id in (select id from users
    where is_internal)

-- unknown countries
select count(*) from users where country is null

-- unsaid genders
select count(*) from users where gender is null

-- returns of subscribers
select count(*) from (select user_id from subscriptions group by 1
    having min(ended_at) < max(started_at)) r

-- trials never paid
select count(*) from subscriptions s where trial_ends_at < '2026-11-20T20:15:00Z'
    and not exists (select from payments p where p.subscription_id = s.id and status <> 'failed')

-- trials that became paid
select count(*) from subscriptions s join payments p on p.subscription_id = s.id
    where paid_at = trial_ends_at and p.status = 'succeeded'

-- partial refunds
select count(*) from payments where refunded_amount < amount

-- full refunds
select count(*) from payments where refunded_amount = amount

-- charges that fail and then succeed
select count(*) from payments f join payments s using (subscription_id)
    where f.status = 'failed' and s.status = 'succeeded' and s.paid_at = f.paid_at + interval '3 days'

-- cancellations that run to the end of what was paid
select count(*) from subscriptions
    where canceled_at < ended_at

-- unnamed intervals
select count(*) from subscriptions where billing_interval is null

-- suspensions that are over
select count(*) from moderation_actions a join users u on u.id = a.user_id
    where action = 'suspend' and status = 'active'

-- conversations of several days
select count(*) from (select conversation_id from messages group by 1
    having max(created_at) - min(created_at) > interval '3 days' and count(distinct sender_id) = 2) c
