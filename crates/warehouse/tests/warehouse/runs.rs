use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Job, RunStatus};
use kindred_warehouse::{RequestError, RunRequest, STALE_AFTER, StepRecord};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Database, at, day, outcome, request, window};

const NOW: &str = "2026-03-02T01:00:00Z";

#[tokio::test]
async fn of_many_requests_at_once_one_is_written_and_the_others_name_it() {
    let database = Database::migrated().await;
    let wanted = request(window("2026-03-01", "2026-03-03"), at(NOW));
    let asked = (0..16).map(|_| {
        let (warehouse, wanted) = (database.warehouse.clone(), wanted.clone());
        tokio::spawn(async move { warehouse.request(&wanted).await })
    });
    let mut written = Vec::new();
    let mut named = Vec::new();
    for answer in asked.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Ok(run_id) => written.push(run_id),
            Err(RequestError::AlreadyRunning {
                job: Job::Daily,
                run_id,
            }) => named.push(run_id),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(written.len(), 1);
    assert_eq!(named, vec![written[0]; 15]);
}

#[tokio::test]
async fn a_queued_run_is_claimed_once() {
    let database = Database::migrated().await;
    let run_id = database
        .warehouse
        .request(&request(window("2026-03-01", "2026-03-02"), at(NOW)))
        .await
        .unwrap();
    assert_eq!(database.warehouse.next_queued().await.unwrap(), Some(run_id));

    let claims = (0..8).map(|_| {
        let warehouse = database.warehouse.clone();
        tokio::spawn(async move { warehouse.claim(run_id, Uuid::new_v4(), at(NOW)).await.unwrap() })
    });
    let mut claimed = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        claimed.extend(claim.await.unwrap());
    }
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].status, RunStatus::Running);
    assert_eq!(claimed[0].start_time, Some(at(NOW)));
    assert_eq!(
        (claimed[0].interval_start, claimed[0].interval_end),
        (at("2026-03-01T00:00:00Z"), at("2026-03-02T00:00:00Z"))
    );
    assert_eq!(database.warehouse.next_queued().await.unwrap(), None);
}

#[tokio::test]
async fn a_run_is_read_back_as_it_ended() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let ended = at(NOW) + TimeDelta::milliseconds(2_345);
    let step = StepRecord {
        name: "pull users".to_owned(),
        started_at: at(NOW),
        ended_at: Some(ended),
        rows_read: 12,
        rows_written: 7,
        detail: json!({"partitions": 2}),
    };
    assert!(
        database
            .warehouse
            .record_steps(run_id, owner, std::slice::from_ref(&step))
            .await
            .unwrap()
    );
    let mut failed = outcome(RunStatus::Failed);
    failed.records_read = 12;
    failed.records_processed = 7;
    failed.error_message = Some("the disk is full".to_owned());
    failed.checks = json!([{"check": "lifecycle_sum", "passed": false}]);
    failed.steps = vec![step.clone()];
    assert!(database.warehouse.finish(run_id, owner, ended, failed).await.unwrap());

    let run = database.warehouse.run(run_id).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Failed);
    assert_eq!((run.end_time, run.execution_time_ms), (Some(ended), Some(2_345)));
    assert_eq!((run.records_read, run.records_processed), (12, 7));
    assert_eq!(run.error_message.as_deref(), Some("the disk is full"));
    assert_eq!(
        run.data_quality_checks,
        json!([{"check": "lifecycle_sum", "passed": false}])
    );
    assert_eq!(
        serde_json::from_value::<Vec<StepRecord>>(run.steps.clone()).unwrap(),
        [step]
    );
    assert_eq!(database.warehouse.latest_run(Job::Daily).await.unwrap(), Some(run));
}

#[tokio::test]
async fn nobody_but_its_owner_touches_a_run() {
    let database = Database::migrated().await;
    let (owner, stranger) = (Uuid::new_v4(), Uuid::new_v4());
    let run_id = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let later = at(NOW) + TimeDelta::seconds(10);
    assert!(!database.warehouse.heartbeat(run_id, stranger, later).await.unwrap());
    assert!(!database.warehouse.record_steps(run_id, stranger, &[]).await.unwrap());
    assert!(
        !database
            .warehouse
            .finish(run_id, stranger, later, outcome(RunStatus::Failed))
            .await
            .unwrap()
    );
    assert!(database.warehouse.heartbeat(run_id, owner, later).await.unwrap());
    let run = database.warehouse.run(run_id).await.unwrap().unwrap();
    assert_eq!((run.status, run.heartbeat_at), (RunStatus::Running, Some(later)));
}

#[tokio::test]
async fn a_run_without_a_heartbeat_fails_and_makes_room() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let dead = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let alive_still = at(NOW) + TimeDelta::from_std(STALE_AFTER).unwrap();
    assert!(
        database
            .warehouse
            .reap(alive_still, STALE_AFTER)
            .await
            .unwrap()
            .is_empty()
    );

    let later = alive_still + TimeDelta::seconds(1);
    let next = database
        .warehouse
        .request(&request(window("2026-03-01", "2026-03-02"), later))
        .await
        .unwrap();
    assert_ne!(next, dead);
    let run = database.warehouse.run(dead).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Failed);
    assert_eq!(
        run.error_message.as_deref(),
        Some("its process died: no heartbeat since 2026-03-02T01:00:00Z")
    );
    assert_eq!(run.execution_time_ms, Some(61_000));
    assert!(
        !database.warehouse.heartbeat(dead, owner, later).await.unwrap(),
        "it has lost its lease"
    );
}

#[tokio::test]
async fn a_run_that_nobody_takes_up_is_cancelled_after_an_hour() {
    let database = Database::migrated().await;
    let queued = database
        .warehouse
        .request(&request(window("2026-03-01", "2026-03-02"), at(NOW)))
        .await
        .unwrap();
    let almost = at(NOW) + TimeDelta::minutes(60);
    assert!(database.warehouse.reap(almost, STALE_AFTER).await.unwrap().is_empty());
    assert_eq!(
        database
            .warehouse
            .reap(almost + TimeDelta::seconds(1), STALE_AFTER)
            .await
            .unwrap(),
        [queued]
    );
    assert_eq!(
        database.warehouse.run(queued).await.unwrap().unwrap().status,
        RunStatus::Cancelled
    );
}

#[tokio::test]
async fn waiting_ends_with_the_run_or_with_the_deadline() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let soon = tokio::time::Instant::now() + Duration::from_millis(150);
    assert_eq!(
        database.warehouse.wait_until_final(run_id, soon).await.unwrap().status,
        RunStatus::Running
    );

    let warehouse = database.warehouse.clone();
    let ending = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        warehouse
            .finish(run_id, owner, at(NOW), outcome(RunStatus::Cancelled))
            .await
            .unwrap()
    });
    let began = std::time::Instant::now();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    assert_eq!(
        database
            .warehouse
            .wait_until_final(run_id, deadline)
            .await
            .unwrap()
            .status,
        RunStatus::Cancelled
    );
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(ending.await.unwrap());
}

/// Ends a run over these days, started at this instant, in this state.
async fn ended(database: &Database, from: &str, to: &str, started: &str, status: RunStatus, dry_run: bool) {
    let wanted = RunRequest {
        dry_run,
        ..request(window(from, to), at(started))
    };
    let run_id = database.warehouse.request(&wanted).await.unwrap();
    let owner = Uuid::new_v4();
    database
        .warehouse
        .claim(run_id, owner, at(started))
        .await
        .unwrap()
        .unwrap();
    assert!(
        database
            .warehouse
            .finish(run_id, owner, at(started), outcome(status))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_day_is_complete_when_a_run_that_started_after_it_was_published() {
    let database = Database::migrated().await;
    // The 3rd was still going on; the 5th failed; the 6th was a dry run; the 7th is outside the window asked about.
    ended(
        &database,
        "2026-03-01",
        "2026-03-04",
        "2026-03-03T05:00:00Z",
        RunStatus::Completed,
        false,
    )
    .await;
    ended(
        &database,
        "2026-03-04",
        "2026-03-05",
        "2026-03-05T00:00:00Z",
        RunStatus::Partial,
        false,
    )
    .await;
    ended(
        &database,
        "2026-03-05",
        "2026-03-06",
        "2026-03-09T01:00:00Z",
        RunStatus::Failed,
        false,
    )
    .await;
    ended(
        &database,
        "2026-03-06",
        "2026-03-07",
        "2026-03-09T02:00:00Z",
        RunStatus::Completed,
        true,
    )
    .await;
    ended(
        &database,
        "2026-03-07",
        "2026-03-08",
        "2026-03-09T03:00:00Z",
        RunStatus::Completed,
        false,
    )
    .await;
    let asked = window("2026-03-01", "2026-03-07");
    let days = database.warehouse.completed_days(Job::Daily, asked).await.unwrap();
    assert_eq!(
        days.into_iter().collect::<Vec<_>>(),
        ["2026-03-01", "2026-03-02", "2026-03-04"].map(day)
    );
    let days = database.warehouse.failed_days(Job::Daily, asked).await.unwrap();
    assert_eq!(days.into_iter().collect::<Vec<_>>(), [day("2026-03-05")]);
}

#[tokio::test]
async fn a_failed_day_that_was_published_since_is_no_failed_day() {
    let database = Database::migrated().await;
    ended(
        &database,
        "2026-03-01",
        "2026-03-03",
        "2026-03-03T01:00:00Z",
        RunStatus::Failed,
        false,
    )
    .await;
    ended(
        &database,
        "2026-03-02",
        "2026-03-03",
        "2026-03-03T02:00:00Z",
        RunStatus::Completed,
        false,
    )
    .await;
    let days = database
        .warehouse
        .failed_days(Job::Daily, window("2026-02-01", "2026-04-01"))
        .await
        .unwrap();
    assert_eq!(days.into_iter().collect::<Vec<_>>(), [day("2026-03-01")]);
}
