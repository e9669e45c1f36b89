//! Backfills in the ledger, and what is missing of a job's days.

use kindred_model::{BackfillMode, Instant, Interval, Job, RunStatus, Trigger};
use kindred_warehouse::{BackfillRequest, RequestError, Run, RunRequest};
use uuid::Uuid;

use crate::support::{Database, at, day, outcome, request, window};

const NOW: &str = "2026-03-09T01:00:00Z";

fn asked() -> BackfillRequest {
    BackfillRequest {
        job: Job::Daily,
        window: window("2026-02-01", "2026-03-09"),
        mode: BackfillMode::Missing,
        dry_run: false,
        at: at(NOW),
    }
}

async fn status(database: &Database, run_id: Uuid) -> RunStatus {
    database.warehouse.run(run_id).await.unwrap().unwrap().status
}

#[tokio::test]
async fn a_backfill_runs_beside_runs_and_its_pieces_do_not_run_beside_each_other() {
    let database = Database::migrated().await;
    let (owner, piece) = (Uuid::new_v4(), window("2026-02-01", "2026-03-04"));
    let warehouse = &database.warehouse;
    let row = warehouse.begin_backfill(&asked(), owner).await.unwrap();
    assert_eq!((row.status, row.start_time), (RunStatus::Running, Some(at(NOW))));
    assert_eq!(row.backfill_mode, Some(BackfillMode::Missing));
    let twice = warehouse.begin_backfill(&asked(), Uuid::new_v4()).await.unwrap_err();
    assert!(
        matches!(twice, RequestError::AlreadyRunning { run_id, .. } if run_id == row.id),
        "{twice}"
    );

    let first = warehouse
        .request_piece(&row, owner, piece, at(NOW))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(warehouse.next_queued().await.unwrap(), Some(first));
    assert!(warehouse.claim(first, Uuid::new_v4(), at(NOW)).await.unwrap().is_some());
    let second = warehouse.request_piece(&row, owner, piece, at(NOW)).await.unwrap_err();
    assert!(
        matches!(second, RequestError::AlreadyRunning { run_id, .. } if run_id == first),
        "{second}"
    );
    let pieces: Vec<_> = warehouse.pieces(row.id).await.unwrap();
    assert_eq!(
        pieces
            .iter()
            .map(|piece| (piece.id, piece.parent_id))
            .collect::<Vec<_>>(),
        [(first, Some(row.id))]
    );
    assert_eq!(pieces[0].trigger, Trigger::Backfill);

    let stranger = warehouse.request_piece(&row, Uuid::new_v4(), piece, at(NOW)).await;
    assert_eq!(stranger.unwrap(), None);
}

#[tokio::test]
async fn whenever_a_backfill_is_cancelled_no_piece_of_it_is_left() {
    let database = Database::migrated().await;
    for _ in 0..20 {
        let owner = Uuid::new_v4();
        let row: Run = database.warehouse.begin_backfill(&asked(), owner).await.unwrap();
        let (one, other) = (database.warehouse.clone(), database.warehouse.clone());
        let (backfill, piece) = (row.clone(), window("2026-02-01", "2026-03-04"));
        let requesting =
            tokio::spawn(async move { one.request_piece(&backfill, owner, piece, at(NOW)).await.unwrap() });
        let cancelling = tokio::spawn(async move { other.cancel(row.id, at(NOW)).await.unwrap() });
        assert!(cancelling.await.unwrap());
        if let Some(piece) = requesting.await.unwrap() {
            assert_eq!(status(&database, piece).await, RunStatus::Cancelled);
        }
        assert_eq!(database.warehouse.next_queued().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_backfill_whose_process_died_is_failed_and_covers_nothing() {
    let database = Database::migrated().await;
    let row = database
        .warehouse
        .begin_backfill(&asked(), Uuid::new_v4())
        .await
        .unwrap();
    let later = at("2026-03-09T01:05:00Z");
    database
        .warehouse
        .reap(later, kindred_warehouse::STALE_AFTER)
        .await
        .unwrap();
    let row = database.warehouse.run(row.id).await.unwrap().unwrap();
    assert_eq!((row.status, row.retry_at), (RunStatus::Failed, None));
    let asked = window("2026-02-01", "2026-03-09");
    assert!(
        database
            .warehouse
            .failed_days(Job::Daily, asked)
            .await
            .unwrap()
            .is_empty()
    );
    database.warehouse.request(&request(asked, later)).await.unwrap();
}

/// An hourly run over `[from, to)` that began at `started` and ended so.
async fn hourly(database: &Database, from: Instant, to: Instant, started: Instant, status: RunStatus) {
    let wanted = RunRequest {
        job: Job::Hourly,
        interval: Interval::new(from, to).unwrap(),
        trigger: Trigger::Schedule,
        dry_run: false,
        at: started,
    };
    let (owner, warehouse) = (Uuid::new_v4(), &database.warehouse);
    let run_id = warehouse.request(&wanted).await.unwrap();
    warehouse.claim(run_id, owner, started).await.unwrap().unwrap();
    assert!(warehouse.finish(run_id, owner, started, outcome(status)).await.unwrap());
}

#[tokio::test]
async fn a_day_of_hours_is_complete_when_each_was_published_after_its_end() {
    let database = Database::migrated().await;
    let hour = |n: i64| at("2026-03-01T00:00:00Z") + chrono::TimeDelta::hours(n);
    // The tick five minutes past each hour covers the closed hour and the current one. That of 03-02 at 11 failed, and
    // the next began when the hour of 10 was not its own any more.
    for n in 1..=60 {
        let status = if n == 35 {
            RunStatus::Failed
        } else {
            RunStatus::Completed
        };
        let started = hour(n) + chrono::TimeDelta::minutes(5);
        hourly(&database, hour(n - 1), hour(n + 1), started, status).await;
    }
    let days = window("2026-03-01", "2026-03-04");
    let completed = database.warehouse.completed_days(Job::Hourly, days).await.unwrap();
    assert_eq!(completed.into_iter().collect::<Vec<_>>(), [day("2026-03-01")]);
    let failed = database.warehouse.failed_days(Job::Hourly, days).await.unwrap();
    assert_eq!(failed.into_iter().collect::<Vec<_>>(), [day("2026-03-02")]);

    // One over the gap puts it right; the 3rd is still open.
    hourly(&database, hour(34), hour(36), hour(62), RunStatus::Completed).await;
    let completed = database.warehouse.completed_days(Job::Hourly, days).await.unwrap();
    assert_eq!(
        completed.into_iter().collect::<Vec<_>>(),
        [day("2026-03-01"), day("2026-03-02")]
    );
    assert!(
        database
            .warehouse
            .failed_days(Job::Hourly, days)
            .await
            .unwrap()
            .is_empty()
    );
}
