-- A day later: what was put aside has come, payments of last week were refunded, sessions of a day turn out to have ended.
insert into users select * from later.users;
insert into user_sessions select * from later.user_sessions;
insert into subscriptions select * from later.subscriptions;
insert into payments select * from later.payments;
insert into swipes select * from later.swipes;
insert into matches select * from later.matches;
insert into interactions select * from later.interactions;
insert into messages select * from later.messages;
insert into behavior_events select * from later.behavior_events;
update payments set status = 'refunded', refunded_at = paid_at + interval '1 day', refunded_amount = null,
    updated_at = now() - interval '1 hour'
where status = 'succeeded' and paid_at > now() - interval '9 days' and paid_at < now() - interval '3 days';
update user_sessions set ended_at = started_at + interval '90 seconds', updated_at = now() - interval '1 hour'
where started_at >= date_trunc('day', now(), 'UTC') - interval '6 days'
    and started_at < date_trunc('day', now(), 'UTC') - interval '5 days';
