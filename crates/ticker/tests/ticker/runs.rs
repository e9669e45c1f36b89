//! Runs that die, fail or are stopped, as the ticker sees them; and the ticker's own loop.

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Job, RunStatus, Trigger};
use tokio_util::sync::CancellationToken;

use crate::support::{Setup, at, row};

#[tokio::test]
async fn a_dead_run_is_failed_within_90_seconds_and_tried_again() {
    let setup = Setup::new(&[Job::Daily], "2026-03-01T12:00:00Z").await;
    setup.turn("2026-03-02T01:00:00Z").await;
    let (run_id, owner) = setup.claim(setup.clock.now()).await.unwrap();
    let last_sign = at("2026-03-02T01:00:10Z");
    assert!(setup.warehouse.heartbeat(run_id, owner, last_sign).await.unwrap());
    // The ticker wakes when it said that it would.
    let mut now = last_sign;
    let ended = loop {
        setup.clock.set(now);
        let turn = setup.ticker.turn().await.unwrap();
        if turn.ended.contains(&run_id) {
            break now;
        }
        assert!(turn.next > now);
        now = turn.next;
    };
    assert!(ended - last_sign <= TimeDelta::seconds(90), "{ended}");
    let dead = setup.run(run_id).await;
    assert_eq!(dead.status, RunStatus::Failed);

    let retry_at = dead.retry_at.unwrap();
    let started = loop {
        setup.clock.set(now);
        let turn = setup.ticker.turn().await.unwrap();
        if let [started] = turn.started[..] {
            break started;
        }
        now = turn.next;
    };
    assert_eq!(now, retry_at, "neither early nor late");
    let retry = setup.run(started).await;
    assert_eq!((retry.trigger, retry.attempt), (Trigger::Retry, 2));
}

#[tokio::test]
async fn a_run_that_a_shutdown_stopped_is_run_again_by_the_next_process() {
    let setup = Setup::new(&[Job::Daily], "2026-03-01T12:00:00Z").await;
    setup.turn("2026-03-02T01:00:00Z").await;
    let run = setup.claim(setup.clock.now()).await.unwrap();
    setup.end(run, RunStatus::Cancelled, false).await;
    let (next_process, clock) = setup.another(&[Job::Daily], "2026-03-02T01:00:30Z");
    assert_eq!(next_process.turn().await.unwrap().started.len(), 1);
    setup.clock.set(clock.now());
    setup.work().await;
    let told = [
        row("schedule", "cancelled", "2026-03-01"),
        row("retry", "completed", "2026-03-01"),
    ];
    assert_eq!(setup.told(Job::Daily).await, told);
}

#[tokio::test]
async fn a_run_that_hangs_with_a_beating_heart_fails_at_its_deadline() {
    let setup = Setup::new(&[Job::Sessions], "2026-03-01T12:01:00Z").await;
    setup.turn("2026-03-01T12:15:00Z").await;
    let (run_id, owner) = setup.claim(setup.clock.now()).await.unwrap();
    let late = at("2026-03-01T13:15:01Z");
    assert!(setup.warehouse.heartbeat(run_id, owner, late).await.unwrap());
    assert_eq!(setup.turn("2026-03-01T13:15:01Z").await.ended, [run_id]);
    let run = setup.run(run_id).await;
    assert_eq!(
        run.error_message.as_deref(),
        Some("it took longer than its deadline of 60 minutes")
    );
}

#[tokio::test]
async fn it_ticks_by_itself_until_it_is_stopped_even_when_the_warehouse_is_away_for_a_while() {
    let setup = Setup::new(&[Job::Sessions], "2026-03-01T12:01:00Z").await;
    let (ticker, clock) = setup.another(&[Job::Sessions], "2026-03-01T12:14:59.9Z");
    // Away: the table is not there.
    let rename = async |sql| sqlx::query(sql).execute(setup.warehouse.pool()).await.unwrap();
    rename("alter table job_ticks rename to elsewhere").await;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { ticker.run(stop).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    rename("alter table elsewhere rename to job_ticks").await;
    clock.set(at("2026-03-01T12:15:00Z"));
    let began = std::time::Instant::now();
    while setup.told(Job::Sessions).await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was ticked");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
}
