//! The same population always has the same history.

use std::collections::BTreeMap;

use kindred_simulator::Population;
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use crate::{everything_in, population, simulate};

/// Every table that a simulation fills.
const TABLES: [&str; 14] = [
    "users",
    "user_profiles",
    "user_sessions",
    "subscriptions",
    "payments",
    "swipes",
    "matches",
    "interactions",
    "matching_queue",
    "session_telemetry",
    "behavior_events",
    "messages",
    "reports",
    "moderation_actions",
];

/// A hash of every row of every table, whatever their order.
async fn contents(population: &Population) -> BTreeMap<&'static str, (i64, String)> {
    let database = TestDatabase::create("determinism").await;
    simulate(population, &everything_in(&database)).await.unwrap();
    hashes(&database).await
}

/// How many rows each table has, and a hash of all of them, whatever their order.
pub(crate) async fn hashes(database: &TestDatabase) -> BTreeMap<&'static str, (i64, String)> {
    let mut hashes = BTreeMap::new();
    for table in TABLES {
        let hash = "count(*), coalesce(md5(string_agg(t::text, ' ' order by t::text)), '')";
        let hash = format!("select {hash} from {table} t");
        let hash = sqlx::query_as(AssertSqlSafe(hash)).fetch_one(database.pool()).await;
        hashes.insert(table, hash.unwrap());
    }
    hashes
}

#[tokio::test]
async fn two_runs_write_identical_rows() {
    let (one, other) = tokio::join!(contents_of(7), contents_of(7));
    assert!(
        one.values().all(|(rows, _)| *rows > 0),
        "an empty table proves nothing: {one:?}"
    );
    assert_eq!(one, other);
}

#[tokio::test]
async fn another_seed_writes_another_history() {
    let (one, other) = tokio::join!(contents_of(7), contents_of(8));
    for (table, content) in &one {
        assert_ne!(content, &other[table], "{table} does not depend on the seed");
    }
}

async fn contents_of(seed: u64) -> BTreeMap<&'static str, (i64, String)> {
    contents(&Population {
        seed,
        ..population(600, 30)
    })
    .await
}
