//! What holds in every history, and what occurs in every larger one.

use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use crate::{count, everything_in, population, simulate};

/// The span of a session, as the metrics take it.
const SPANS: &str = "
    create view spans as
    select id, user_id, started_at as from_at, coalesce(ended_at, last_seen_at) as to_at from user_sessions;
    create index on user_sessions (user_id, started_at)";

/// A sentence, and rows that break it.
const NEVER: &[(&str, &str)] = &[
    (
        "every user has a profile",
        "select id from users where id not in (select user_id from user_profiles)",
    ),
    (
        "addresses belong to nobody",
        "select id from users where email !~ '^[a-z]+\\.\\d+@example\\.(com|org)$'",
    ),
    (
        "users are adults",
        "select id from users where date_of_birth > created_at - interval '18 years'",
    ),
    (
        "sessions run forwards",
        "select id from user_sessions where not started_at <= last_seen_at
        or ended_at < last_seen_at or (ended_at is null) <> (exit_reason is null)",
    ),
    (
        "sessions begin after the sign-up",
        "select s.id from user_sessions s join users u on u.id = s.user_id
        where s.started_at < u.created_at",
    ),
    (
        "nobody is in two sessions",
        "select id from (select id, from_at, lag(to_at) over (partition by user_id
        order by from_at) as before from spans) s where before > from_at",
    ),
    (
        "every session has telemetry",
        "select id from user_sessions where id not in
        (select session_id from session_telemetry)",
    ),
    (
        "telemetry is of its session",
        "select t.session_id from session_telemetry t left join user_sessions s
        on s.id = t.session_id and s.user_id = t.user_id and s.started_at = t.started_at where s.id is null",
    ),
    (
        "telemetry counts the events",
        "select t.session_id from session_telemetry t
        left join (select session_id, count(*) filter (where event_name in ('screen_view', 'profile_view',
            'subscription_view')) as screens, count(*) as events from behavior_events group by 1) e using (session_id)
        where screens > screens_viewed or events > screens_viewed + actions_taken + 1",
    ),
    (
        "a row is as new as what it tells (sessions)",
        "select id from user_sessions
        where updated_at <> greatest(started_at, last_seen_at, ended_at)",
    ),
    (
        "a row is as new as what it tells (subscriptions)",
        "select id from subscriptions
        where updated_at < greatest(started_at, canceled_at, ended_at)",
    ),
    (
        "a row is as new as what it tells (payments)",
        "select id from payments
        where updated_at <> greatest(paid_at, refunded_at)",
    ),
    (
        "a row is as new as what it tells (interactions)",
        "select id from interactions
        where updated_at <> greatest(started_at, ended_at)",
    ),
    (
        "a row is as new as what it tells (queue)",
        "select id from matching_queue
        where updated_at <> greatest(joined_at, left_at) or joined_at > left_at",
    ),
    (
        "a row is as new as what it tells (reports)",
        "select id from reports
        where updated_at <> greatest(created_at, resolved_at)",
    ),
    (
        "a row is as new as what it tells (users)",
        "select id from users where updated_at < created_at",
    ),
    (
        "nobody swipes on themselves",
        "select id from swipes where user_id = target_user_id",
    ),
    (
        "swipes happen in sessions",
        "select w.id from swipes w where not exists (select from spans s
        where s.user_id = w.user_id and w.created_at between from_at and to_at)",
    ),
    (
        "nobody is liked twice by one person",
        "select user_id from swipes where action <> 'pass'
        group by user_id, target_user_id having count(*) > 1",
    ),
    (
        "swipes are on people who are there",
        "select w.id from swipes w join users u on u.id = target_user_id
        where w.created_at < u.created_at",
    ),
    (
        "pairs are ordered",
        "select id from matches where user_a_id >= user_b_id",
    ),
    (
        "a match is a mutual like, made by the second one",
        "select m.id from matches m
        left join swipes a on a.user_id = user_a_id and a.target_user_id = user_b_id and a.action <> 'pass'
        left join swipes b on b.user_id = user_b_id and b.target_user_id = user_a_id and b.action <> 'pass'
        where (m.created_at = greatest(a.created_at, b.created_at)) is not true or a.id is null or b.id is null",
    ),
    (
        "every mutual like is a match",
        "select a.id from swipes a join swipes b on b.user_id = a.target_user_id
        and b.target_user_id = a.user_id and a.user_id < b.user_id
        left join matches on user_a_id = a.user_id and user_b_id = b.user_id
        where a.action <> 'pass' and b.action <> 'pass' and matches.id is null",
    ),
    (
        "people write to their matches only",
        "select w.id from messages w left join matches m
        on user_a_id = least(sender_id, recipient_id) and user_b_id = greatest(sender_id, recipient_id)
        where (w.created_at > m.created_at) is not true",
    ),
    (
        "a pair has one conversation",
        "select least(sender_id, recipient_id) from messages
        group by 1, greatest(sender_id, recipient_id) having count(distinct conversation_id) > 1",
    ),
    (
        "messages are sent in sessions",
        "select w.id from messages w where not exists (select from spans s
        where s.user_id = w.sender_id and w.created_at between from_at and to_at)",
    ),
    (
        "nobody meets themselves",
        "select id from interactions where initiator_id = partner_id",
    ),
    (
        "encounters begin in a session of both",
        "select i.id from interactions i where not exists (select from spans s
        where s.user_id = i.initiator_id and i.started_at between from_at and to_at) or not exists (select from spans s
        where s.user_id = i.partner_id and i.started_at between from_at and to_at)",
    ),
    (
        "whoever meets somebody waited for it",
        "select i.id from interactions i where 2 <> (select count(*)
        from matching_queue q where q.user_id in (initiator_id, partner_id) and q.left_at = i.started_at
        and outcome = 'matched')",
    ),
    (
        "what is open has no outcome",
        "select id from matching_queue where (left_at is null) <> (outcome is null)",
    ),
    (
        "encounters that run have no end",
        "select id from interactions where (ended_at is null) <> (end_reason is null)",
    ),
    (
        "subscribers have one subscription at a time",
        "select id from (select id, started_at, lag(coalesce(ended_at,
        'infinity')) over (partition by user_id order by started_at, ended_at) as before from subscriptions) s
        where before > started_at",
    ),
    (
        "payments belong to their subscription's owner and time",
        "select p.id from payments p
        left join subscriptions s on s.id = p.subscription_id and s.user_id = p.user_id and paid_at >= started_at
        and (ended_at is null or paid_at <= ended_at) where subscription_id is not null and s.id is null",
    ),
    (
        "trials are free",
        "select p.id from payments p join subscriptions s on s.id = p.subscription_id
        where paid_at < trial_ends_at",
    ),
    (
        "a subscription is bought once",
        "select subscription_id from payments where kind = 'initial'
        and status <> 'failed' group by 1 having count(*) > 1",
    ),
    (
        "renewals follow a purchase",
        "select r.id from payments r where kind = 'renewal' and not exists (select
        from payments i where i.subscription_id = r.subscription_id and i.kind = 'initial' and i.status <> 'failed'
        and i.paid_at < r.paid_at)",
    ),
    (
        "payments are of the plan's price",
        "select p.id from payments p join subscriptions s on s.id = subscription_id
        where amount <> price or p.currency <> s.currency",
    ),
    (
        "single purchases have no subscription",
        "select id from payments
        where (kind = 'one_off') <> (subscription_id is null)",
    ),
    (
        "refunds have a date, an amount, and no more than was paid",
        "select id from payments where
        (status = 'refunded') <> (refunded_at is not null) or (status = 'refunded') <> (refunded_amount is not null)
        or refunded_amount > amount or refunded_at <= paid_at",
    ),
    (
        "states of subscriptions follow from their dates",
        "select id from subscriptions where status <> case
        when canceled_at is not null then 'canceled' when ended_at is not null then 'expired' else status end
        or (status in ('canceled', 'expired')) <> (canceled_at is not null or ended_at is not null)
        or (status = 'trialing' and trial_ends_at is null)",
    ),
    (
        "events arrive after they happen, within two days",
        "select event_id from behavior_events
        where received_at <= event_time or received_at > event_time + interval '48 hours'",
    ),
    (
        "events are somebody's",
        "select event_id from behavior_events where user_id is null and anonymous_id is null",
    ),
    (
        "events with a session are of its person and span",
        "select e.event_id from behavior_events e
        join spans s on s.id = e.session_id where e.user_id is distinct from s.user_id
        or event_time not between from_at and to_at",
    ),
    (
        "events without an account are before it",
        "select e.event_id from behavior_events e
        join behavior_events r on r.anonymous_id = e.anonymous_id and r.event_name = 'registration_complete'
        where e.user_id is null and e.event_time >= r.event_time",
    ),
    (
        "nobody reports themselves",
        "select id from reports where reporter_id = reported_user_id",
    ),
    (
        "nobody acts after a ban, a suspension or the end of the account",
        "select u.id from users u where status <> 'active'
        and (exists (select from spans s where s.user_id = u.id and to_at > u.updated_at)
        or exists (select from swipes w where w.user_id = u.id and w.created_at > u.updated_at)
        or exists (select from messages m where m.sender_id = u.id and m.created_at > u.updated_at)
        or exists (select from interactions i where u.id in (initiator_id, partner_id) and i.started_at > u.updated_at)
        or exists (select from reports r where r.reporter_id = u.id and r.created_at > u.updated_at)
        or exists (select from behavior_events e where e.user_id = u.id and event_time > u.updated_at))",
    ),
    (
        "whoever is banned or gone pays nothing any more",
        "select u.id from users u where status in ('banned', 'deleted')
        and (exists (select from payments p where p.user_id = u.id and paid_at > u.updated_at)
        or exists (select from subscriptions s where s.user_id = u.id and ended_at is null))",
    ),
    (
        "bans and suspensions were decided by moderation",
        "select id from users u where status in ('banned', 'suspended')
        and not exists (select from moderation_actions a where a.user_id = u.id and a.created_at = u.updated_at
        and a.action = case status when 'banned' then 'ban' else 'suspend' end)",
    ),
    (
        "moderation acts on reports",
        "select id from moderation_actions a where not exists (select from reports r
        where r.reported_user_id = a.user_id and r.resolved_at <= a.created_at)",
    ),
];

/// A sentence, and a count that is positive when it is true.
const OCCUR: &[(&str, &str)] = &[
    (
        "sessions across midnight",
        "select count(*) from spans where date_trunc('day', to_at, 'UTC') > from_at",
    ),
    (
        "sessions under way",
        "select count(*) from user_sessions where ended_at is null
        and last_seen_at > timestamptz '2026-11-20T20:14:00Z'",
    ),
    (
        "sessions never closed",
        "select count(*) from user_sessions where ended_at is null
        and last_seen_at < timestamptz '2026-11-20T08:00:00Z'",
    ),
    (
        "people waiting",
        "select count(*) from matching_queue where left_at is null",
    ),
    (
        "encounters under way",
        "select count(*) from interactions where ended_at is null",
    ),
    ("open reports", "select count(*) from reports where resolved_at is null"),
    (
        "visitors who never register",
        "select count(*) from (select anonymous_id from behavior_events group by 1
        having count(user_id) = 0) v",
    ),
    (
        "events of one device before and after the sign-up",
        "select count(*) from (select anonymous_id
        from behavior_events group by 1 having count(user_id) between 1 and count(*) - 1) v",
    ),
    (
        "events late by hours",
        "select count(*) from behavior_events where received_at > event_time + interval '3 h'",
    ),
    (
        "staff who are active",
        "select count(*) from user_sessions where user_id in (select id from users
        where is_internal)",
    ),
    ("unknown countries", "select count(*) from users where country is null"),
    ("unsaid genders", "select count(*) from users where gender is null"),
    (
        "returns of subscribers",
        "select count(*) from (select user_id from subscriptions group by 1
        having min(ended_at) < max(started_at)) r",
    ),
    (
        "trials never paid",
        "select count(*) from subscriptions s where trial_ends_at < '2026-11-20T20:15:00Z'
        and not exists (select from payments p where p.subscription_id = s.id and status <> 'failed')",
    ),
    (
        "trials that became paid",
        "select count(*) from subscriptions s join payments p on p.subscription_id = s.id
        where paid_at = trial_ends_at and p.status = 'succeeded'",
    ),
    (
        "partial refunds",
        "select count(*) from payments where refunded_amount < amount",
    ),
    (
        "full refunds",
        "select count(*) from payments where refunded_amount = amount",
    ),
    (
        "charges that fail and then succeed",
        "select count(*) from payments f join payments s using (subscription_id)
        where f.status = 'failed' and s.status = 'succeeded' and s.paid_at = f.paid_at + interval '3 days'",
    ),
    (
        "cancellations that run to the end of what was paid",
        "select count(*) from subscriptions
        where canceled_at < ended_at",
    ),
    (
        "unnamed intervals",
        "select count(*) from subscriptions where billing_interval is null",
    ),
    (
        "suspensions that are over",
        "select count(*) from moderation_actions a join users u on u.id = a.user_id
        where action = 'suspend' and status = 'active'",
    ),
    (
        "conversations of several days",
        "select count(*) from (select conversation_id from messages group by 1
        having max(created_at) - min(created_at) > interval '3 days' and count(distinct sender_id) = 2) c",
    ),
];

/// Columns of words, and every word that occurs in them.
const WORDS: &[(&str, &str, &str)] = &[
    ("users", "status", "active banned deleted suspended"),
    ("users", "gender", "female male nonbinary"),
    ("users", "signup_platform", "android ios web"),
    ("user_sessions", "exit_reason", "background crash logout timeout"),
    ("user_sessions", "app_version", "4.0.0 4.1.0 4.2.0 4.3.0 4.4.0"),
    ("subscriptions", "status", "active canceled expired past_due trialing"),
    ("subscriptions", "billing_interval", "half_year month quarter week year"),
    (
        "subscriptions",
        "plan",
        "premium_annual premium_monthly premium_quarterly premium_semiannual premium_weekly vip_annual vip_monthly \
         vip_weekly",
    ),
    ("subscriptions", "currency", "EUR USD"),
    ("payments", "kind", "initial one_off renewal"),
    ("payments", "status", "failed refunded succeeded"),
    ("payments", "currency", "EUR USD"),
    ("swipes", "action", "like pass super_like"),
    ("interactions", "kind", "text video voice"),
    ("matching_queue", "outcome", "gave_up matched"),
    ("messages", "kind", "gif image text voice"),
    ("reports", "category", "fake_profile harassment other spam underage"),
    ("moderation_actions", "action", "ban remove_content suspend warn"),
    ("moderation_actions", "automated", "false true"),
    (
        "behavior_events",
        "event_name",
        "app_open button_click feature_use match_action message_send profile_view registration_complete \
         registration_start screen_view search subscription_purchase subscription_view swipe_left swipe_right",
    ),
    ("behavior_events", "platform", "android ios web"),
];

#[tokio::test]
async fn a_history_keeps_every_promise_of_the_model() {
    let database = TestDatabase::create("promises").await;
    simulate(&population(3_000, 60), &everything_in(&database))
        .await
        .unwrap();
    sqlx::raw_sql(SPANS).execute(database.pool()).await.unwrap();

    let mut broken = instants_outside(&database).await;
    for (sentence, breaks) in NEVER {
        let rows = count(&database, &format!("select count(*) from ({breaks}) broken")).await;
        if rows > 0 {
            broken.push(format!("{sentence}: not for {rows} rows"));
        }
    }
    for (sentence, sql) in OCCUR {
        if count(&database, sql).await == 0 {
            broken.push(format!("{sentence}: none"));
        }
    }
    for (table, column, expected) in WORDS {
        let words = format!(
            r#"select string_agg(distinct {column}::text, ' ' order by {column}::text collate "C") from {table}"#
        );
        let found: String = sqlx::query_scalar(AssertSqlSafe(words))
            .fetch_one(database.pool())
            .await
            .unwrap();
        if found != *expected {
            broken.push(format!("{table}.{column}: {found}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Instants before the history or not before its end. Trials may end later.
async fn instants_outside(database: &TestDatabase) -> Vec<String> {
    let columns = "select table_name::text, column_name::text from information_schema.columns
        where table_schema = 'public' and data_type = 'timestamp with time zone' and column_name <> 'trial_ends_at'
        and table_name <> 'spans'";
    let columns: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(database.pool()).await.unwrap();
    assert_eq!(columns.len(), 33);
    let mut outside = Vec::new();
    for (table, column) in columns {
        let range = "'[2026-09-21T20:15:00Z, 2026-11-20T20:15:00Z)'::tstzrange";
        let rows = count(
            database,
            &format!("select count(*) from {table} where not {column} <@ {range}"),
        )
        .await;
        if rows > 0 {
            outside.push(format!("{table}.{column}: {rows} outside of the history"));
        }
    }
    outside
}
