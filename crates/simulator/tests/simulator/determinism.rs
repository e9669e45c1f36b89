//! The same population always has the same history.

use std::collections::BTreeMap;

use kindred_simulator::Population;
use kindred_testkit::TestDatabase;
use sqlx::AssertSqlSafe;

use crate::{everything_in, population, simulate};

/// A hash of every row of every table, whatever their order.
async fn contents(population: &Population) -> BTreeMap<&'static str, (u64, String)> {
    let database = TestDatabase::create("determinism").await;
    let summary = simulate(population, &everything_in(&database)).await.unwrap();
    let mut contents = BTreeMap::new();
    for table in &summary.tables {
        let name = table.table;
        let hash = format!("select coalesce(md5(string_agg(t::text, ' ' order by t::text)), '') from {name} t");
        let hash: String = sqlx::query_scalar(AssertSqlSafe(hash))
            .fetch_one(database.pool())
            .await
            .unwrap();
        contents.insert(name, (table.rows, hash));
    }
    contents
}

#[tokio::test]
async fn two_runs_write_identical_rows() {
    let (one, other) = tokio::join!(contents_of(7), contents_of(7));
    assert_eq!(one.len(), 14);
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

async fn contents_of(seed: u64) -> BTreeMap<&'static str, (u64, String)> {
    contents(&Population {
        seed,
        ..population(600, 30)
    })
    .await
}
