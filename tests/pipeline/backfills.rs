//! Backfills that a server's worker carries out, among runs that others ask for.

use std::time::Duration;

use kindred_jobs::Worker;
use kindred_model::{BackfillMode, DayWindow, Job, RunStatus, Trigger};
use kindred_testkit::day;
use kindred_warehouse::{BackfillRequest, Run, RunRequest};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{FROM, TOMORROW, empty_world};
use crate::support::World;

/// A worker of the world, until it is dropped.
fn worker(world: &World) -> AbortOnDropHandle<()> {
    let worker = Worker::new(world.platform.clone());
    AbortOnDropHandle::new(tokio::spawn(async move { worker.work(CancellationToken::new()).await }))
}

/// A backfill of everything, which takes two runs.
async fn requested(world: &World) -> Uuid {
    let request = BackfillRequest {
        job: Job::Daily,
        window: DayWindow::new(day(FROM), day(TOMORROW)).unwrap(),
        mode: BackfillMode::All,
        dry_run: false,
        at: world.platform.clock.now(),
    };
    world.platform.warehouse.request_backfill(&request).await.unwrap().id
}

/// The backfill's first piece, once it is running.
async fn first_piece(world: &World, backfill: Uuid) -> Run {
    loop {
        let pieces = world.platform.warehouse.pieces(backfill).await.unwrap();
        if let Some(piece) = pieces.into_iter().find(|piece| piece.status == RunStatus::Running) {
            return piece;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ended(world: &World, run_id: Uuid) -> Run {
    let patience = tokio::time::Instant::now() + Duration::from_secs(180);
    let run = world
        .platform
        .warehouse
        .wait_until_final(run_id, patience)
        .await
        .unwrap();
    assert!(run.status.is_final(), "{run:?}");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_carries_out_a_backfill_and_lets_others_run_between_its_pieces() {
    let world = empty_world().await;
    let _worker = worker(&world);
    let backfill = requested(&world).await;
    first_piece(&world, backfill).await;
    let request = RunRequest {
        job: Job::Weekly,
        interval: Job::Weekly.interval_of(day("2026-03-09")),
        trigger: Trigger::Manual,
        dry_run: true,
        at: world.platform.clock.now(),
    };
    let between = world.platform.warehouse.request(&request).await.unwrap();

    let whole = ended(&world, backfill).await;
    assert_eq!(
        (whole.status, whole.error_message.as_deref()),
        (RunStatus::Completed, None)
    );
    let progress = whole.progress().unwrap();
    assert_eq!((progress.days, progress.done, progress.next), (43, 43, None));
    let pieces = world.platform.warehouse.pieces(backfill).await.unwrap();
    assert_eq!(pieces.len(), 2);
    assert_eq!(
        whole.records_processed,
        pieces.iter().map(|piece| piece.records_processed).sum::<i64>()
    );
    let other = world.platform.warehouse.run(between).await.unwrap().unwrap();
    assert!(
        other.status.is_final(),
        "it did not wait for the second piece: {other:?}"
    );
    world.assert_sound().await;
    world.assert_equals(&world.clean(FROM, TOMORROW).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_that_is_cancelled_ends_its_piece_which_publishes_nothing() {
    let world = empty_world().await;
    let _worker = worker(&world);
    let backfill = requested(&world).await;
    let piece = first_piece(&world, backfill).await;
    let now = world.platform.clock.now();
    assert!(world.platform.warehouse.cancel(backfill, now).await.unwrap());
    assert_eq!(ended(&world, piece.id).await.status, RunStatus::Cancelled);
    assert_eq!(ended(&world, backfill).await.status, RunStatus::Cancelled);

    // Whatever its worker does until its next heartbeat, the next run finds an empty warehouse and its turn.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert!(world.versions().await.is_empty(), "rows were published");
    assert_eq!(world.platform.warehouse.pieces(backfill).await.unwrap().len(), 1);
    world
        .run("2026-03-14", TOMORROW)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    world.assert_sound().await;
}
