//! What may be asked for, and runs that somebody stops.

use std::time::Duration;

use kindred_jobs::JobError;
use kindred_model::{BackfillMode, DayWindow, Job, RunStatus};
use kindred_testkit::day;
use kindred_warehouse::RequestError;
use tokio_util::sync::CancellationToken;

use super::{FROM, TOMORROW, YESTERDAY, empty_world, world};
use crate::support::soundness::files_below;

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_are_empty_or_lie_in_the_future_are_refused_and_leave_no_run() {
    let world = empty_world().await;
    assert!(DayWindow::new(day(YESTERDAY), day(YESTERDAY)).is_err());
    assert!(DayWindow::new(day(TOMORROW), day(YESTERDAY)).is_err());
    let error = world.run(TOMORROW, "2026-03-17").await.unwrap_err();
    assert!(matches!(error, JobError::Future(_)), "{error}");
    let error = world.backfill(FROM, "2026-03-17").await.unwrap_err();
    assert!(matches!(error, JobError::Future(_)), "{error}");
    assert_eq!(
        world.ask("select count(*)::text from etl_job_runs").await.as_deref(),
        Some("0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_computes_and_checks_and_publishes_nothing() {
    let world = empty_world().await;
    let run = world
        .run_as(YESTERDAY, TOMORROW, true, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!((run.status, run.dry_run), (RunStatus::Completed, true));
    assert!(run.records_read > 0 && run.records_processed > 0);
    assert!(world.versions().await.is_empty());
    assert!(files_below(&world.lake()).is_empty());
    let known = "select (select count(*) from source_watermarks) + (select count(*) from lake_partitions)";
    assert_eq!(
        world.ask(&format!("select ({known})::text")).await.as_deref(),
        Some("0")
    );

    // It has not left anything to a backfill that looks for missing days, nor to the next run.
    let window = DayWindow::new(day(YESTERDAY), day(TOMORROW)).unwrap();
    let stop = CancellationToken::new();
    let report = kindred_jobs::backfill(
        &world.platform,
        Job::Daily,
        window,
        BackfillMode::Missing,
        &stop,
        |_| {},
    )
    .await;
    assert_eq!(report.unwrap().days, 2);
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_of_what_is_missing_goes_on_where_it_was_stopped() {
    let world = empty_world().await;
    world.run("2026-03-03", "2026-03-06").await.unwrap();
    let window = DayWindow::new(day("2026-03-01"), day(TOMORROW)).unwrap();
    let missing = async || {
        let stop = CancellationToken::new();
        kindred_jobs::backfill(
            &world.platform,
            Job::Daily,
            window,
            BackfillMode::Missing,
            &stop,
            |_| {},
        )
        .await
        .unwrap()
    };
    assert_eq!(missing().await.days, 12);
    world.assert_sound().await;
    world.assert_equals(&world.clean("2026-03-01", TOMORROW).await).await;
    // Today was not over when it was computed, and is missing for as long.
    assert_eq!(missing().await.days, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_requests_at_a_time_one_is_told_of_the_other() {
    let world = empty_world().await;
    let (one, other) = tokio::join!(world.run(YESTERDAY, TOMORROW), world.run(YESTERDAY, TOMORROW));
    let (done, refused) = match (one, other) {
        (Ok(done), Err(refused)) | (Err(refused), Ok(done)) => (done, refused),
        (one, other) => panic!("{one:?} {other:?}"),
    };
    assert_eq!(done.status, RunStatus::Completed);
    match refused {
        JobError::Request(RequestError::AlreadyRunning { run_id, .. }) => assert_eq!(run_id, done.id),
        other => panic!("{other}"),
    }
    world.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_leaves_nothing_but_its_entry_in_the_ledger() {
    let world = world().await;
    let (rows, files) = (world.versions().await, world.lake_files());
    world
        .change("update payments set updated_at = '2026-03-15T10:35:00Z', amount = amount + 1")
        .await;
    world.wait(10);
    let stop = CancellationToken::new();
    let staging = world.lake().join(".staging");
    let when_it_has_staged = async {
        while files_below(&staging).is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(world.run_as(FROM, TOMORROW, false, &stop), when_it_has_staged);
    assert!(matches!(ended, Err(JobError::Cancelled)), "{ended:?}");
    let run = world.platform.warehouse.latest_run(Job::Daily).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Cancelled);
    assert!(run.end_time.is_some());
    assert!(world.versions().await == rows, "rows were written");
    assert!(world.lake_files() == files, "files were written");

    world
        .run(YESTERDAY, TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    world.assert_sound().await;
}
