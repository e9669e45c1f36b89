//! One run at a time, of whatever job.

use kindred_model::{BackfillMode, Job, RunStatus};
use kindred_warehouse::{BackfillRequest, RunRequest, STALE_AFTER};
use uuid::Uuid;

use crate::support::{Database, at, outcome, request, window};

const NOW: &str = "2026-03-02T01:00:00Z";

impl Database {
    /// Queues a run of the job.
    async fn queued(&self, job: Job, requested_at: &str) -> Uuid {
        let wanted = RunRequest {
            job,
            ..request(window("2026-03-01", "2026-03-02"), at(requested_at))
        };
        self.warehouse.request(&wanted).await.unwrap()
    }
}

#[tokio::test]
async fn a_run_is_claimed_when_the_one_before_has_ended_whatever_its_job() {
    let database = Database::migrated().await;
    let warehouse = &database.warehouse;
    let daily = database.queued(Job::Daily, NOW).await;
    let hourly = database.queued(Job::Hourly, "2026-03-02T01:00:01Z").await;
    assert_eq!(warehouse.next_queued().await.unwrap(), Some(daily), "oldest first");

    let owner = Uuid::new_v4();
    assert!(warehouse.claim(daily, owner, at(NOW)).await.unwrap().is_some());
    assert_eq!(warehouse.next_queued().await.unwrap(), None);
    assert!(
        warehouse
            .claim(hourly, Uuid::new_v4(), at(NOW))
            .await
            .unwrap()
            .is_none()
    );
    let waiting = warehouse.run(hourly).await.unwrap().unwrap();
    assert_eq!((waiting.status, waiting.start_time), (RunStatus::Queued, None));

    assert!(
        warehouse
            .finish(daily, owner, at(NOW), outcome(RunStatus::Failed))
            .await
            .unwrap()
    );
    assert_eq!(warehouse.next_queued().await.unwrap(), Some(hourly));
    assert!(
        warehouse
            .claim(hourly, Uuid::new_v4(), at(NOW))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn of_many_claims_of_different_jobs_at_once_one_succeeds_and_none_fails() {
    let database = Database::migrated().await;
    for round in 0..5 {
        let mut claims = Vec::new();
        for job in Job::ALL {
            let run_id = database.queued(*job, NOW).await;
            let warehouse = database.warehouse.clone();
            claims.push(tokio::spawn(async move {
                warehouse.claim(run_id, Uuid::new_v4(), at(NOW)).await.unwrap()
            }));
        }
        let mut claimed = Vec::new();
        for claim in claims {
            claimed.extend(claim.await.unwrap());
        }
        assert_eq!(claimed.len(), 1, "round {round}");
        let over =
            "update etl_job_runs set status = 'cancelled', end_time = now() where status in ('queued', 'running')";
        sqlx::query(over).execute(database.warehouse.pool()).await.unwrap();
    }
}

#[tokio::test]
async fn a_backfill_stands_in_nobodys_way_and_its_days_are_its_childrens() {
    let database = Database::migrated().await;
    let warehouse = &database.warehouse;
    let backfill = database.queued(Job::Daily, NOW).await;
    sqlx::query("update etl_job_runs set backfill_mode = 'missing'")
        .execute(warehouse.pool())
        .await
        .unwrap();
    assert_eq!(warehouse.next_queued().await.unwrap(), None, "a backfill is no run");

    let owner = Uuid::new_v4();
    let held = warehouse.claim(backfill, owner, at(NOW)).await.unwrap().unwrap();
    assert_eq!(
        (held.backfill_mode, held.parent_id),
        (Some(BackfillMode::Missing), None)
    );
    let child = database.queued(Job::Daily, NOW).await;
    assert_eq!(warehouse.next_queued().await.unwrap(), Some(child));
    assert!(warehouse.claim(child, Uuid::new_v4(), at(NOW)).await.unwrap().is_some());

    assert!(
        warehouse
            .finish(backfill, owner, at(NOW), outcome(RunStatus::Completed))
            .await
            .unwrap()
    );
    let days = warehouse
        .completed_days(Job::Daily, window("2026-03-01", "2026-03-02"))
        .await
        .unwrap();
    assert!(days.is_empty(), "its children did not publish them: {days:?}");
}

#[tokio::test]
async fn a_run_that_waits_for_a_long_one_is_not_forgotten() {
    let database = Database::migrated().await;
    let warehouse = &database.warehouse;
    let owner = Uuid::new_v4();
    let long = database.queued(Job::Daily, NOW).await;
    warehouse.claim(long, owner, at(NOW)).await.unwrap().unwrap();
    let waiting = database.queued(Job::Hourly, NOW).await;
    let hours_later = at("2026-03-02T03:30:00Z");
    assert!(warehouse.heartbeat(long, owner, hours_later).await.unwrap());
    assert!(warehouse.reap(hours_later, STALE_AFTER).await.unwrap().is_empty());
    assert!(
        warehouse
            .finish(long, owner, hours_later, outcome(RunStatus::Completed))
            .await
            .unwrap()
    );
    assert!(warehouse.reap(hours_later, STALE_AFTER).await.unwrap().is_empty());
    assert_eq!(warehouse.next_queued().await.unwrap(), Some(waiting));
}

#[tokio::test]
async fn a_queued_run_does_not_outlive_the_process_that_waits_for_it() {
    let database = Database::migrated().await;
    let warehouse = &database.warehouse;
    let wanted = request(window("2026-03-01", "2026-03-02"), at(NOW));
    let run_id = warehouse.request_attended(&wanted).await.unwrap();
    warehouse.attend(run_id, at("2026-03-02T01:00:30Z")).await.unwrap();
    let alive = at("2026-03-02T01:01:30Z");
    assert!(warehouse.reap(alive, STALE_AFTER).await.unwrap().is_empty());

    let later = at("2026-03-02T01:01:31Z");
    let next = warehouse.request(&RunRequest { at: later, ..wanted }).await.unwrap();
    assert_ne!(next, run_id, "the dead one is not in the way");
    let dead = warehouse.run(run_id).await.unwrap().unwrap();
    assert_eq!((dead.status, dead.start_time), (RunStatus::Failed, None));
    assert_eq!(
        dead.error_message.as_deref(),
        Some("its process died: no heartbeat since 2026-03-02T01:00:30Z")
    );
    assert!(dead.retry_at.is_some(), "whoever serves the warehouse tries it again");
}

#[tokio::test]
async fn a_queued_piece_does_not_outlive_the_backfill_that_died_with_its_process() {
    let database = Database::migrated().await;
    let warehouse = &database.warehouse;
    let (owner, days) = (Uuid::new_v4(), window("2026-03-01", "2026-03-02"));
    let wanted = BackfillRequest {
        job: Job::Daily,
        window: days,
        mode: BackfillMode::All,
        dry_run: false,
        at: at(NOW),
    };
    let backfill = warehouse.begin_backfill(&wanted, owner).await.unwrap();
    let piece = warehouse.request_piece(&backfill, owner, days, at(NOW)).await.unwrap();
    let mut ended = warehouse.reap(at("2026-03-02T01:01:01Z"), STALE_AFTER).await.unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [backfill.id, piece.unwrap()]);
}
