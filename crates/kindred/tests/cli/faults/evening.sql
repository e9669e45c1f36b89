-- The sources as they were a day ago: what began since then is put aside.
create schema later;
create table later.users as select * from users where created_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.user_sessions as
select * from user_sessions where started_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.subscriptions as
select * from subscriptions where started_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.payments as
select * from payments where paid_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.swipes as select * from swipes where created_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.matches as
select * from matches where created_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.interactions as
select * from interactions where started_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.messages as
select * from messages where created_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
create table later.behavior_events as
select * from behavior_events where received_at >= date_trunc('day', now(), 'UTC') - interval '1 day';
delete from user_profiles where user_id in (select id from later.users);
delete from users where id in (select id from later.users);
delete from user_sessions where id in (select id from later.user_sessions);
delete from subscriptions where id in (select id from later.subscriptions);
delete from payments where id in (select id from later.payments);
delete from swipes where id in (select id from later.swipes);
delete from matches where id in (select id from later.matches);
delete from interactions where id in (select id from later.interactions);
delete from messages where id in (select id from later.messages);
delete from behavior_events where event_id in (select event_id from later.behavior_events);
