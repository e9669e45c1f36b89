//! Sources whose tables are not those of the contract.

use crate::support::{DAY, Platform};

const RUN: &[&str] = &["run", "daily", "--date", DAY];

/// Runs and checks on changed sources: both name what is wrong, and nothing is published.
async fn broken(change: &str, words: &[&str]) {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred();
    platform.alter(change).await;
    kindred.run(RUN).await.expect(1).complains(words);
    let ledger = platform.ledger().await;
    let [(status, Some(message))] = &ledger[..] else {
        panic!("{ledger:?}")
    };
    assert_eq!(status, "failed");
    assert!(words.iter().all(|word| message.contains(word)), "{message}");
    kindred.run(&["check"]).await.expect(2).says(words);
    for table in ["daily_kpi_summaries", "lake_partitions", "source_watermarks"] {
        assert_eq!(
            platform.count(&format!("select count(*) from {table}")).await,
            0,
            "{table}"
        );
    }
}

#[tokio::test]
async fn a_missing_column_fails_the_run_before_anything_is_published() {
    broken("alter table swipes rename column action to deed", &["swipes", "action"]).await;
}

#[tokio::test]
async fn a_column_of_another_type_is_named_with_both_types() {
    let words = ["swipes", "created_at", "timestamp;", "timestamptz"];
    broken("alter table swipes alter created_at type timestamp", &words).await;
}

#[tokio::test]
async fn a_missing_table_is_named() {
    broken("drop table messages", &["messages"]).await;
}

#[tokio::test]
async fn several_mistakes_of_one_source_are_reported_together() {
    let change = "alter table swipes rename column action to deed; alter table matches rename column user_a_id to a";
    broken(change, &["swipes", "action", "matches", "user_a_id"]).await;
}
