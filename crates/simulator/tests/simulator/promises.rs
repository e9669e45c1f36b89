//! What holds in every history, and what occurs in every larger one.

use kindred_model::Instant;
use kindred_simulator::Population;
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use crate::{count, everything_in, population, simulate};

/// The span of a session, as the metrics take it.
const SPANS: &str = "
    create view spans as
    select id, user_id, started_at as from_at, coalesce(ended_at, last_seen_at) as to_at from user_sessions;
    create index on user_sessions (user_id, started_at);
    create index on swipes (user_id);
    create index on messages (sender_id);
    create index on matching_queue (left_at);
    create index on behavior_events (user_id)";

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
    let mut broken = live(&database, &population(3_000, 60)).await;
    broken.extend(absent(&database, include_str!("occurs.sql")).await);
    for (table, column, expected) in WORDS {
        let word = format!(r#"{column}::text collate "C""#);
        let words = format!("select string_agg(distinct {word}, ' ' order by {word}) from {table}");
        let found = sqlx::query_scalar(AssertSqlSafe(words))
            .fetch_one(database.pool())
            .await;
        let found: String = found.unwrap();
        if found != *expected {
            broken.push(format!("{table}.{column}: {found}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// All have come within three days: enough are there at the same time for something to be open everywhere.
#[tokio::test]
async fn a_history_ends_in_the_middle_of_things() {
    let database = TestDatabase::create("ends").await;
    let mut broken = live(&database, &population(3_000, 3)).await;
    broken.extend(absent(&database, include_str!("open.sql")).await);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Writes a history; the promises that it breaks.
async fn live(database: &TestDatabase, population: &Population) -> Vec<String> {
    simulate(population, &everything_in(database)).await.unwrap();
    broken(database, population.start(), population.until).await
}

/// The promises that what happened from `start` to `until` breaks.
pub(crate) async fn broken(database: &TestDatabase, start: Instant, until: Instant) -> Vec<String> {
    sqlx::raw_sql(SPANS).execute(database.pool()).await.unwrap();
    let mut broken = instants_outside(database, start, until).await;
    for (sentence, breaks) in sentences(include_str!("never_broken.sql")) {
        let rows = count(database, &format!("select count(*) from ({breaks}) broken")).await;
        if rows > 0 {
            broken.push(format!("{sentence}: not for {rows} rows"));
        }
    }
    broken
}

/// What a file says that there is, and is not.
async fn absent(database: &TestDatabase, file: &'static str) -> Vec<String> {
    let mut absent = Vec::new();
    for (sentence, sql) in sentences(file) {
        if count(database, sql).await == 0 {
            absent.push(format!("{sentence}: none"));
        }
    }
    absent
}

/// The sentences of a file, each with its query. The first block is the file's header.
fn sentences(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let blocks = file.split("\n\n").skip(1);
    blocks.map(|block| block.trim_start_matches("-- ").split_once('\n').unwrap())
}

/// Instants before the history or not before its end. Trials may end later.
async fn instants_outside(database: &TestDatabase, start: Instant, until: Instant) -> Vec<String> {
    let columns = "select table_name::text, column_name::text from information_schema.columns
        where table_schema = 'public' and data_type = 'timestamp with time zone' and column_name <> 'trial_ends_at'
        and table_name <> 'spans'";
    let columns: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(database.pool()).await.unwrap();
    assert_eq!(columns.len(), 31);
    let history = format!("'[{start}, {until})'::tstzrange");
    let mut outside = Vec::new();
    for (table, column) in columns {
        let sql = format!("select count(*) from {table} where not {column} <@ {history}");
        let rows = count(database, &sql).await;
        if rows > 0 {
            outside.push(format!("{table}.{column}: {rows} outside of the history"));
        }
    }
    outside
}
