-- The day is over: what was put aside has come.
insert into users select * from later.users;
insert into user_profiles select * from later.user_profiles;
insert into user_sessions select * from later.user_sessions;
insert into subscriptions select * from later.subscriptions;
insert into payments select * from later.payments;
insert into swipes select * from later.swipes;
insert into matches select * from later.matches;
insert into interactions select * from later.interactions;
insert into matching_queue select * from later.matching_queue;
insert into session_telemetry select * from later.session_telemetry;
insert into behavior_events select * from later.behavior_events;
insert into messages select * from later.messages;
insert into reports select * from later.reports;
insert into moderation_actions select * from later.moderation_actions;
drop schema later cascade;
