use chrono::NaiveDate;
use kindred_model::{RunStatus, Source};
use kindred_warehouse::{
    ACTIVE_USER_BUCKETS, LIFECYCLE_DAILY, PartitionChange, Publication, PublishError, SEGMENT_KPI_DAILY, Scope,
    TableChange, WarehouseError, WatermarkChange,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Database, Never, at, batch, day, days, lifecycle, publication, published, segment, window};

const NOW: &str = "2026-03-10T01:00:00Z";
const LATER: &str = "2026-03-10T02:00:00Z";

/// A publication of one closed day's lifecycle, a partition and a watermark.
fn a_day(run_id: Uuid, owner: Uuid) -> Publication {
    Publication {
        tables: vec![TableChange {
            table: &LIFECYCLE_DAILY,
            rows: vec![batch(&LIFECYCLE_DAILY, run_id, at(NOW), &[lifecycle("2026-03-09", 3)])].into(),
            scope: days("2026-03-09", "2026-03-10"),
        }],
        partitions: vec![partition("date=2026-03-09", 10)],
        watermarks: vec![watermark(NOW)],
        ..publication(run_id, owner, at(NOW))
    }
}

fn partition(name: &str, rows: i64) -> PartitionChange {
    PartitionChange {
        dataset: "facts/users".to_owned(),
        partition: name.to_owned(),
        path: format!("facts/users/{name}/part-0.parquet"),
        rows,
        bytes: 100 * rows,
        etag: None,
        content_hash: format!("hash of {rows}"),
        left_out: 0,
        removed: false,
    }
}

fn watermark(extracted_to: &str) -> WatermarkChange {
    WatermarkChange {
        source: Source::Users,
        dataset: "users".to_owned(),
        extracted_to: at(extracted_to),
        last_row_at: None,
        rows: 10,
        schema_fingerprint: "fingerprint".to_owned(),
    }
}

/// Nothing but the run stands in the warehouse.
async fn assert_nothing_published(database: &Database) {
    assert_eq!(database.one::<i64>("select count(*) from lifecycle_daily").await, 0);
    assert!(database.warehouse.partitions(None).await.unwrap().is_empty());
    assert!(database.warehouse.watermarks().await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_partitions_watermarks_and_the_runs_end_are_published_together() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-09", "2026-03-10"), at(NOW))
        .await;
    let mut listener = sqlx::postgres::PgListener::connect_with(database.warehouse.pool())
        .await
        .unwrap();
    listener.listen("kindred_published").await.unwrap();

    assert_eq!(
        published(&database, &a_day(run_id, owner)).await,
        [("lifecycle_daily", 1)]
    );

    assert_eq!(listener.recv().await.unwrap().payload(), run_id.to_string());
    let run = database.warehouse.run(run_id).await.unwrap().unwrap();
    assert_eq!(
        (run.status, run.end_time, run.execution_time_ms),
        (RunStatus::Completed, Some(at(NOW)), Some(0))
    );
    assert_eq!(database.one::<i64>("select new_active from lifecycle_daily").await, 3);
    let known = database.warehouse.partitions(Some("facts/users")).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].run_id, known[0].content_hash.as_str()),
        (run_id, "hash of 10")
    );
    assert_eq!(database.warehouse.watermark().await.unwrap(), Some(at(NOW)));
}

#[tokio::test]
async fn a_lost_lease_publishes_nothing_and_swaps_nothing() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-09", "2026-03-10"), at("2026-03-09T01:00:00Z"))
        .await;
    for (run_id, owner) in [(run_id, Uuid::new_v4()), (Uuid::new_v4(), owner)] {
        let swap = || async { panic!("nothing may be swapped in") as Result<(), Never> };
        let error = database
            .warehouse
            .publish(&a_day(run_id, owner), swap)
            .await
            .unwrap_err();
        assert!(
            matches!(error, PublishError::LostLease { run_id: lost } if lost == run_id),
            "{error}"
        );
    }
    database
        .warehouse
        .reap(at(NOW), kindred_warehouse::STALE_AFTER)
        .await
        .unwrap();
    let error = database
        .warehouse
        .publish(&a_day(run_id, owner), || async { Ok::<_, Never>(()) })
        .await
        .unwrap_err();
    assert!(matches!(error, PublishError::LostLease { .. }), "{error}");
    assert_nothing_published(&database).await;
    assert_eq!(
        database.warehouse.run(run_id).await.unwrap().unwrap().status,
        RunStatus::Failed
    );
}

#[tokio::test]
async fn a_swap_that_fails_takes_everything_back_and_leaves_the_run_to_its_owner() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-09", "2026-03-10"), at(NOW))
        .await;
    let error = database
        .warehouse
        .publish(&a_day(run_id, owner), || async { Err(Never) })
        .await
        .unwrap_err();
    assert!(matches!(error, PublishError::Swap(Never)), "{error}");
    assert_nothing_published(&database).await;
    assert_eq!(
        database.warehouse.run(run_id).await.unwrap().unwrap().status,
        RunStatus::Running
    );
    assert_eq!(
        published(&database, &a_day(run_id, owner)).await,
        [("lifecycle_daily", 1)]
    );
}

#[tokio::test]
async fn a_publication_that_is_dropped_midway_is_taken_back() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-09", "2026-03-10"), at(NOW))
        .await;
    let change = a_day(run_id, owner);
    let swapping = tokio::sync::Notify::new();
    tokio::select! {
        _ = database.warehouse.publish(&change, || async {
            swapping.notify_one();
            std::future::pending::<Result<(), Never>>().await
        }) => unreachable!("the swap never ends"),
        () = swapping.notified() => {}
    }
    assert!(
        database.warehouse.heartbeat(run_id, owner, at(NOW)).await.unwrap(),
        "the run's row is free again"
    );
    assert_nothing_published(&database).await;
}

#[tokio::test]
async fn equal_rows_are_not_rewritten() {
    let database = Database::migrated().await;
    let rows = [lifecycle("2026-03-08", 1), lifecycle("2026-03-09", 2)];
    let scope = days("2026-03-08", "2026-03-10");
    let (first, changed) = database.publish(&LIFECYCLE_DAILY, scope.clone(), &rows, at(NOW)).await;
    assert_eq!(changed, 2);
    let state = "select string_agg(concat(xmin, run_id, computed_at), ';' order by date) from lifecycle_daily";
    let before: String = database.one(state).await;

    let (_, changed) = database
        .publish(&LIFECYCLE_DAILY, scope.clone(), &rows, at(LATER))
        .await;
    assert_eq!(changed, 0);
    assert_eq!(database.one::<String>(state).await, before);

    let rows = [lifecycle("2026-03-08", 1), lifecycle("2026-03-09", 7)];
    let (third, changed) = database.publish(&LIFECYCLE_DAILY, scope, &rows, at(LATER)).await;
    assert_eq!(changed, 1);
    let writers: Vec<(NaiveDate, Uuid, i64)> =
        sqlx::query_as("select date, run_id, new_active from lifecycle_daily order by date")
            .fetch_all(database.warehouse.pool())
            .await
            .unwrap();
    assert_eq!(writers, [(day("2026-03-08"), first, 1), (day("2026-03-09"), third, 7)]);
}

#[tokio::test]
async fn rows_that_vanished_from_a_scope_are_deleted_and_others_stay() {
    let database = Database::migrated().await;
    let before = [
        segment("2026-03-07", "de"),
        segment("2026-03-08", "de"),
        segment("2026-03-08", "fr"),
        segment("2026-03-09", "fr"),
    ];
    database
        .publish(&SEGMENT_KPI_DAILY, days("2026-03-07", "2026-03-10"), &before, at(NOW))
        .await;
    let (_, changed) = database
        .publish(
            &SEGMENT_KPI_DAILY,
            days("2026-03-08", "2026-03-09"),
            &[segment("2026-03-08", "de")],
            at(LATER),
        )
        .await;
    assert_eq!(changed, 1);
    let left: String = database
        .one("select string_agg(concat_ws(' ', date, value), ', ' order by date, value) from segment_kpi_daily")
        .await;
    assert_eq!(left, "2026-03-07 de, 2026-03-08 de, 2026-03-09 fr");

    let (_, changed) = database
        .publish(&SEGMENT_KPI_DAILY, days("2026-03-07", "2026-03-09"), &[], at(LATER))
        .await;
    assert_eq!(changed, 2);
    assert_eq!(database.one::<i64>("select count(*) from segment_kpi_daily").await, 1);
}

fn bucket(granularity: &str, start: &str, end: &str, active_users: i64) -> Value {
    json!({
        "granularity": granularity, "bucket_start": start, "bucket_end": end, "active_users": active_users,
        "new_registrations": 1, "total_sessions": 2, "is_partial": true,
    })
}

#[tokio::test]
async fn a_scope_of_keys_deletes_nothing_and_one_of_days_knows_instants() {
    let database = Database::migrated().await;
    let rows = [
        bucket("daily", "2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z", 9),
        bucket("hourly", "2026-03-08T23:00:00Z", "2026-03-09T00:00:00Z", 3),
        bucket("hourly", "2026-03-09T00:00:00Z", "2026-03-09T01:00:00Z", 4),
    ];
    database
        .publish(&ACTIVE_USER_BUCKETS, Scope::Keys, &rows[..1], at(NOW))
        .await;
    let (_, changed) = database
        .publish(&ACTIVE_USER_BUCKETS, Scope::Keys, &rows[1..], at(NOW))
        .await;
    assert_eq!(changed, 2);
    assert_eq!(database.one::<i64>("select count(*) from active_user_buckets").await, 3);

    let (_, changed) = database
        .publish(&ACTIVE_USER_BUCKETS, days("2026-03-08", "2026-03-09"), &[], at(LATER))
        .await;
    assert_eq!(changed, 2);
    let start: String = database
        .one("select max(bucket_start)::text from active_user_buckets")
        .await;
    assert_eq!(start, "2026-03-09 00:00:00+00");
}

#[tokio::test]
async fn rows_that_lack_a_column_are_refused_by_its_name() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-09", "2026-03-10"), at(NOW))
        .await;
    let mut change = a_day(run_id, owner);
    let rows = batch(
        &LIFECYCLE_DAILY,
        run_id,
        at(NOW),
        &[json!({"date": "2026-03-09", "new_active": 1, "is_partial": false})],
    );
    let dormant = rows.schema().index_of("dormant").unwrap();
    let others: Vec<_> = (0..rows.num_columns()).filter(|column| *column != dormant).collect();
    change.tables[0].rows = vec![rows.project(&others).unwrap()].into();
    let error = database
        .warehouse
        .publish(&change, || async { Ok::<_, Never>(()) })
        .await
        .unwrap_err();
    assert!(
        matches!(&error, PublishError::Warehouse(WarehouseError::Columns { table: "lifecycle_daily", missing, unknown })
            if missing == "dormant" && unknown.is_empty()),
        "{error}"
    );
    assert_nothing_published(&database).await;
}

#[tokio::test]
async fn a_required_figure_that_is_null_stops_the_publication() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-09", "2026-03-10"), at(NOW))
        .await;
    let mut change = a_day(run_id, owner);
    let rows = [json!({"date": "2026-03-09", "new_active": 1, "is_partial": false})];
    change.tables[0].rows = vec![batch(&LIFECYCLE_DAILY, run_id, at(NOW), &rows)].into();
    let error = database
        .warehouse
        .publish(&change, || async { Ok::<_, Never>(()) })
        .await
        .unwrap_err();
    let PublishError::Warehouse(WarehouseError::Query { source, .. }) = &error else {
        panic!("{error}")
    };
    assert!(source.to_string().contains("returning"), "{source}");
    assert_nothing_published(&database).await;
}

#[tokio::test]
async fn partitions_are_replaced_and_removed_and_watermarks_never_go_back() {
    let database = Database::migrated().await;
    let mut change = Publication {
        partitions: vec![partition("date=2026-03-08", 1), partition("date=2026-03-09", 2)],
        watermarks: vec![watermark(LATER)],
        ..publication(Uuid::nil(), Uuid::new_v4(), at(NOW))
    };
    change.run_id = database
        .running(change.owner, window("2026-03-08", "2026-03-10"), at(NOW))
        .await;
    published(&database, &change).await;

    change.partitions = vec![
        PartitionChange {
            removed: true,
            ..partition("date=2026-03-08", 0)
        },
        PartitionChange {
            etag: Some("\"tag\"".to_owned()),
            ..partition("date=2026-03-09", 5)
        },
    ];
    change.watermarks = vec![watermark(NOW)];
    change.run_id = database
        .running(change.owner, window("2026-03-08", "2026-03-10"), at(LATER))
        .await;
    published(&database, &change).await;

    let known = database.warehouse.partitions(None).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].partition.as_str(), known[0].rows, known[0].bytes),
        ("date=2026-03-09", 5, 500)
    );
    assert_eq!(
        (known[0].etag.as_deref(), known[0].run_id),
        (Some("\"tag\""), change.run_id)
    );
    let facts = ["facts/users".to_owned()];
    let rows = async |since| database.warehouse.rows_by_day(&facts, since).await.unwrap();
    let users = |day, rows| vec![(facts[0].clone(), day, rows)];
    for since in ["2026-03-08", "2026-03-09"].map(day) {
        assert_eq!(rows(since).await, users(day("2026-03-09"), 5));
    }
    assert_eq!(rows(day("2026-03-12")).await, users(day("2026-03-11"), 5));
    assert_eq!(
        database.warehouse.watermarks().await.unwrap()[0].extracted_to,
        at(LATER)
    );
}

#[tokio::test]
async fn an_absent_optional_source_does_not_hold_the_watermark() {
    let database = Database::migrated().await;
    let mut change = publication(Uuid::nil(), Uuid::new_v4(), at(NOW));
    change.watermarks = vec![
        watermark(LATER),
        WatermarkChange {
            source: Source::Communications,
            dataset: "messages".to_owned(),
            ..watermark(NOW)
        },
        WatermarkChange {
            source: Source::Moderation,
            dataset: "reports".to_owned(),
            ..watermark("2026-01-01T00:00:00Z")
        },
    ];
    change.run_id = database
        .running(change.owner, window("2026-03-08", "2026-03-10"), at(NOW))
        .await;
    published(&database, &change).await;
    assert_eq!(database.warehouse.watermark().await.unwrap(), Some(at(NOW)));
}
