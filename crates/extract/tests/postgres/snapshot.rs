//! One extraction sees one instant, and changes nothing.

use kindred_extract::ErrorKind;
use kindred_model::{Fact, Source};
use kindred_testkit::at;

use crate::platform::{Platform, collect, facts, fill, open, try_collect};

#[tokio::test]
async fn rows_committed_after_a_snapshot_was_opened_are_in_none_of_its_reads() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 10).await;
    let snapshot = platform.extractor().open(&facts(Source::Users)).await.unwrap();
    assert_eq!(collect(snapshot.read(Fact::Users, None, None)).await.num_rows(), 10);

    platform
        .execute("update payments set status = 'changed', updated_at = '2030-01-01'; delete from users")
        .await;
    fill(&platform, 15).await;
    assert_eq!(collect(snapshot.read(Fact::Users, None, None)).await.num_rows(), 10);
    let payments = collect(snapshot.read(Fact::Payments, None, None)).await;
    assert_eq!(payments.num_rows(), 10);
    assert!(!format!("{payments:?}").contains("changed"));
    assert_eq!(
        snapshot.counts(Fact::Users, None).await.unwrap().values().sum::<u64>(),
        10
    );
    assert!(
        snapshot
            .changed_dates(Fact::Payments, at("2029-01-01T00:00:00Z"))
            .await
            .unwrap()
            .is_empty()
    );

    let later = open(&platform.extractor(), Fact::Users).await;
    assert_eq!(collect(later.read(Fact::Users, None, None)).await.num_rows(), 15);
}

#[tokio::test]
async fn a_snapshot_is_dated_by_the_clock_of_its_source() {
    let platform = Platform::empty(Source::Users).await;
    let now = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
    let before = platform.count(now).await;
    let snapshot = open(&platform.extractor(), Fact::Users).await;
    let within = before..=platform.count(now).await;
    assert!(within.contains(&snapshot.taken_at().timestamp_micros()));
}

#[tokio::test]
async fn reads_of_one_snapshot_run_side_by_side() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 2000).await;
    let extractor = platform.extractor_with(|config| config.batch_rows = 10);
    let snapshot = extractor.open(&facts(Source::Users)).await.unwrap();
    let reads = facts(Source::Users)
        .into_iter()
        .map(|fact| collect(snapshot.read(fact, None, None)));
    let read = futures::future::join_all(reads).await;
    assert_eq!(read.iter().map(|batch| batch.num_rows()).collect::<Vec<_>>(), [2000; 4]);
}

#[tokio::test]
async fn a_read_goes_on_when_its_snapshot_is_dropped() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 100).await;
    let rows = open(&platform.extractor(), Fact::Users)
        .await
        .read(Fact::Users, None, None);
    assert_eq!(collect(rows).await.num_rows(), 100);
}

#[tokio::test]
async fn a_dropped_snapshot_leaves_no_connection() {
    let platform = Platform::empty(Source::Users).await;
    let connections =
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'kindred'";
    let snapshot = open(&platform.extractor(), Fact::Users).await;
    collect(snapshot.read(Fact::Users, None, None)).await;
    assert!(platform.count(connections).await > 0);
    drop(snapshot);
    for _ in 0..100 {
        if platform.count(connections).await == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("a connection is left");
}

#[tokio::test]
async fn a_query_that_writes_is_refused_by_the_transaction() {
    let platform = Platform::empty(Source::Users).await;
    fill(&platform, 1).await;
    platform
        .execute(
            "create table touched (at timestamptz);
             create function touch() returns text language sql as 'insert into touched values (now()) returning ''x'''",
        )
        .await;
    let rows = kindred_extract::embedded_queries(Source::Users)[&Fact::Users]
        .rows
        .replace("status,", "touch() as status,");
    let rows = open(&platform.extractor_of(Fact::Users, &rows), Fact::Users)
        .await
        .read(Fact::Users, None, None);
    let error = try_collect(rows).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Query);
    assert!(error.to_string().contains("read-only transaction"), "{error}");
    assert_eq!(platform.count("select count(*) from touched").await, 0);
}

#[tokio::test]
async fn a_table_cannot_change_its_columns_while_a_snapshot_is_open() {
    let platform = Platform::empty(Source::Users).await;
    let snapshot = open(&platform.extractor(), Fact::Users).await;
    let alter = "set lock_timeout = '200ms'; alter table users alter status type varchar(10)";
    let refused = sqlx::raw_sql(alter)
        .execute(platform.database.pool())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("lock timeout"), "{refused}");
    drop(snapshot);
}
