//! What is tried again, when, and what is not.

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Instant, Job, RunStatus, Trigger};
use kindred_warehouse::{ATTEMPTS, Run, RunOutcome, RunRequest, STALE_AFTER};
use uuid::Uuid;

use crate::support::{Database, at, outcome, publication, request, window};

const NOW: &str = "2026-03-02T01:00:00Z";

fn transient() -> RunOutcome {
    RunOutcome {
        transient: true,
        ..outcome(RunStatus::Failed)
    }
}

impl Database {
    /// Claims a queued run and ends it at the same instant.
    async fn ended(&self, run_id: Uuid, at: Instant, outcome: RunOutcome) -> Run {
        let owner = Uuid::new_v4();
        self.warehouse.claim(run_id, owner, at).await.unwrap().unwrap();
        assert!(self.warehouse.finish(run_id, owner, at, outcome).await.unwrap());
        self.warehouse.run(run_id).await.unwrap().unwrap()
    }

    /// A run that ended so.
    async fn run_that_ended(&self, request: RunRequest, outcome: RunOutcome) -> Run {
        let run_id = self.warehouse.request(&request).await.unwrap();
        self.ended(run_id, request.at, outcome).await
    }

    async fn retried(&self, at: Instant) -> Vec<Run> {
        let mut runs = Vec::new();
        for run_id in self.warehouse.start_retries(at).await.unwrap() {
            runs.push(self.warehouse.run(run_id).await.unwrap().unwrap());
        }
        runs
    }
}

fn daily(trigger: Trigger) -> RunRequest {
    RunRequest {
        trigger,
        ..request(window("2026-03-01", "2026-03-02"), at(NOW))
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    (to - from).as_seconds_f64()
}

#[tokio::test]
async fn a_transient_failure_is_tried_five_times_in_all_with_growing_waits() {
    let database = Database::migrated().await;
    let mut run = database.run_that_ended(daily(Trigger::Schedule), transient()).await;
    for (attempt, wait) in (2..).zip([30.0, 60.0, 120.0, 240.0]) {
        let retry_at = run.retry_at.expect("another try");
        let waited = seconds(run.end_time.unwrap(), retry_at);
        assert!(
            (0.8 * wait..=1.2 * wait).contains(&waited),
            "try {attempt} after {waited} s"
        );
        assert_eq!(
            database.warehouse.next_retry(run.end_time.unwrap()).await.unwrap(),
            Some(retry_at)
        );
        assert_eq!(
            database.retried(retry_at - TimeDelta::milliseconds(1)).await,
            [],
            "not before its time"
        );

        let retries = database.retried(retry_at).await;
        let [retry] = &retries[..] else { panic!("{retries:?}") };
        assert_eq!(
            (retry.trigger, retry.attempt, retry.status),
            (Trigger::Retry, attempt, RunStatus::Queued)
        );
        assert_eq!(
            (retry.interval_start, retry.interval_end),
            (run.interval_start, run.interval_end)
        );
        assert_eq!(
            database.warehouse.run(run.id).await.unwrap().unwrap().retry_at,
            None,
            "once"
        );
        run = database.ended(retry.id, retry_at, transient()).await;
    }
    assert_eq!(run.attempt, i32::try_from(ATTEMPTS).unwrap());
    assert_eq!(run.retry_at, None, "enough");
}

#[tokio::test]
async fn what_is_no_transient_failure_is_not_tried_again() {
    let database = Database::migrated().await;
    let failed = database
        .run_that_ended(daily(Trigger::Schedule), outcome(RunStatus::Failed))
        .await;
    assert_eq!(failed.retry_at, None);
    let dry = RunRequest {
        dry_run: true,
        ..daily(Trigger::Manual)
    };
    assert_eq!(database.run_that_ended(dry, transient()).await.retry_at, None);
    let stopped = database
        .run_that_ended(daily(Trigger::Manual), outcome(RunStatus::Cancelled))
        .await;
    assert_eq!(stopped.retry_at, None, "whoever asked for it may ask again");
    let piece = database.warehouse.request(&daily(Trigger::Backfill)).await.unwrap();
    sqlx::query("update etl_job_runs set parent_id = $2 where id = $1")
        .bind(piece)
        .bind(failed.id)
        .execute(database.warehouse.pool())
        .await
        .unwrap();
    assert_eq!(database.ended(piece, at(NOW), transient()).await.retry_at, None);
}

#[tokio::test]
async fn a_scheduled_run_that_a_shutdown_stopped_is_run_as_soon_as_somebody_is_there_and_counts_as_no_try() {
    let database = Database::migrated().await;
    for trigger in [Trigger::Schedule, Trigger::CatchUp, Trigger::Retry] {
        let stopped = database
            .run_that_ended(daily(trigger), outcome(RunStatus::Cancelled))
            .await;
        assert_eq!(stopped.retry_at, Some(at(NOW)), "{trigger}");
        let retries = database.retried(at(NOW)).await;
        assert_eq!(retries.iter().map(|run| run.attempt).collect::<Vec<_>>(), [1]);
        database.ended(retries[0].id, at(NOW), outcome(RunStatus::Failed)).await;
    }
}

#[tokio::test]
async fn a_dead_process_fails_its_run_which_is_tried_again_and_a_forgotten_tick_is_too() {
    let database = Database::migrated().await;
    let dead = database
        .running(Uuid::new_v4(), window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let later = at(NOW) + TimeDelta::seconds(61);
    assert_eq!(database.warehouse.reap(later, STALE_AFTER).await.unwrap(), [dead]);
    let dead = database.warehouse.run(dead).await.unwrap().unwrap();
    let waited = seconds(later, dead.retry_at.unwrap());
    assert!((24.0..=36.0).contains(&waited), "{waited} s");

    let queued = RunRequest {
        job: Job::Weekly,
        ..daily(Trigger::Schedule)
    };
    let forgotten = database.warehouse.request(&queued).await.unwrap();
    let much_later = at("2026-03-02T02:30:00Z");
    assert_eq!(
        database.warehouse.reap(much_later, STALE_AFTER).await.unwrap(),
        [forgotten]
    );
    let retries = database.retried(much_later).await;
    let told: Vec<_> = retries.iter().map(|run| (run.job, run.attempt)).collect();
    assert_eq!(told, [(Job::Daily, 2), (Job::Weekly, 1)]);
}

#[tokio::test]
async fn a_retry_waits_while_a_run_of_its_job_is_under_way_or_the_job_is_paused() {
    let database = Database::migrated().await;
    let failed = database.run_that_ended(daily(Trigger::Schedule), transient()).await;
    let due = failed.retry_at.unwrap();
    let other_day = request(window("2026-02-01", "2026-02-02"), due);
    let under_way = database.warehouse.request(&other_day).await.unwrap();
    assert_eq!(database.retried(due).await, []);
    database.ended(under_way, due, outcome(RunStatus::Failed)).await;

    database.warehouse.pause(Job::Daily).await.unwrap();
    assert_eq!(database.retried(due).await, []);
    database.warehouse.resume(Job::Daily).await.unwrap();
    assert_eq!(database.retried(due).await.len(), 1);
}

#[tokio::test]
async fn what_a_later_run_has_published_is_not_tried_again() {
    let database = Database::migrated().await;
    let publish = async |from, to, after| {
        let owner = Uuid::new_v4();
        let at = at(NOW) + TimeDelta::seconds(after);
        let run_id = database.running(owner, window(from, to), at).await;
        let done = publication(run_id, owner, at);
        database
            .warehouse
            .publish(&done, || async { Ok::<_, crate::support::Never>(()) })
            .await
            .unwrap();
    };
    publish("2026-03-01", "2026-03-02", -60).await;
    let failed = database.run_that_ended(daily(Trigger::Schedule), transient()).await;
    publish("2026-02-28", "2026-03-01", 5).await;
    assert_eq!(database.retried(at(NOW)).await, []);
    assert_eq!(
        database.warehouse.next_retry(at(NOW)).await.unwrap(),
        failed.retry_at,
        "neither covers it"
    );

    publish("2026-02-28", "2026-03-02", 10).await;
    assert_eq!(database.retried(failed.retry_at.unwrap()).await, []);
    assert_eq!(database.warehouse.next_retry(at(NOW)).await.unwrap(), None);
}

#[tokio::test]
async fn of_many_tickers_one_starts_a_retry() {
    let database = Database::migrated().await;
    let failed = database.run_that_ended(daily(Trigger::Schedule), transient()).await;
    let starts = (0..8).map(|_| {
        let warehouse = database.warehouse.clone();
        tokio::spawn(async move { warehouse.start_retries(failed.retry_at.unwrap()).await.unwrap() })
    });
    let mut started = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        started.extend(start.await.unwrap());
    }
    assert_eq!(started.len(), 1);
    assert_eq!(database.one::<i64>("select count(*) from etl_job_runs").await, 2);
}

#[tokio::test]
async fn a_run_that_takes_too_long_fails_though_its_heart_beats_and_is_not_tried_again() {
    let database = Database::migrated().await;
    let owner = Uuid::new_v4();
    let run_id = database
        .running(owner, window("2026-03-01", "2026-03-02"), at(NOW))
        .await;
    let deadline = Duration::from_secs(3_600);
    let in_time = at(NOW) + TimeDelta::hours(1);
    let end = async |job, at| database.warehouse.end_overdue(job, at, deadline).await.unwrap();
    assert!(end(Job::Daily, in_time).await.is_empty());
    let late = in_time + TimeDelta::seconds(1);
    assert!(database.warehouse.heartbeat(run_id, owner, late).await.unwrap());
    assert!(end(Job::Weekly, late).await.is_empty());
    assert_eq!(end(Job::Daily, late).await, [run_id]);
    let run = database.warehouse.run(run_id).await.unwrap().unwrap();
    assert_eq!((run.status, run.retry_at), (RunStatus::Failed, None));
    assert_eq!(
        run.error_message.as_deref(),
        Some("it took longer than its deadline of 60 minutes")
    );
    assert!(
        !database.warehouse.heartbeat(run_id, owner, late).await.unwrap(),
        "its owner learns of it"
    );
}
