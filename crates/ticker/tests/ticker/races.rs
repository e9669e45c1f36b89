//! Several processes on one warehouse.

use chrono::TimeDelta;
use kindred_model::{Job, RunStatus};

use crate::support::{Setup, at, row};

#[tokio::test]
async fn two_processes_with_clocks_of_their_own_run_every_tick_of_a_week_once() {
    let setup = Setup::new(Job::ALL, "2026-03-01T00:30:00Z").await;
    let (other, other_clock) = setup.another(Job::ALL, "2026-03-01T00:30:00Z");
    let mut now = at("2026-03-01T00:30:00Z");
    let end = at("2026-03-08T00:30:00Z");
    while now < end {
        now += TimeDelta::minutes(15);
        setup.clock.set(now);
        // The other's clock is now slow, now fast.
        let error = if now.timestamp() % 7 < 3 { -100 } else { 50 };
        other_clock.set(now + TimeDelta::seconds(error));
        let (one, two) = tokio::join!(setup.ticker.turn(), other.turn());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(
            one.skipped.is_empty() && two.skipped.is_empty(),
            "{now}: {one:?} {two:?}"
        );
        setup.work().await;
    }
    for (job, ticks) in [
        (Job::Daily, 7),
        (Job::Hourly, 168),
        (Job::Weekly, 1),
        (Job::Sessions, 672),
    ] {
        let runs = setup.told(job).await;
        assert_eq!(runs.len(), ticks, "{job}");
        assert!(
            runs.iter()
                .all(|(trigger, status, _)| trigger == "schedule" && status == "completed"),
            "{job}"
        );
    }
}

#[tokio::test]
async fn a_tick_during_a_run_of_its_job_is_skipped_and_made_up_for_when_that_has_ended() {
    let setup = Setup::new(&[Job::Daily], "2026-03-01T12:00:00Z").await;
    setup.turn("2026-03-02T01:00:00Z").await;
    let long = setup.claim(setup.clock.now()).await.unwrap();
    let mut now = setup.clock.now();
    while now < at("2026-03-03T01:00:00Z") {
        now += TimeDelta::hours(2);
        assert!(setup.warehouse.heartbeat(long.0, long.1, now).await.unwrap());
    }
    // Its deadline is another matter.
    sqlx::query("update etl_job_runs set start_time = $1")
        .bind(at("2026-03-03T00:00:00Z"))
        .execute(setup.warehouse.pool())
        .await
        .unwrap();
    let turn = setup.turn("2026-03-03T01:00:00Z").await;
    assert_eq!((turn.started.len(), turn.skipped.len()), (0, 1));
    let skipped = setup.run(turn.skipped[0]).await;
    let why = format!("run {} of the job was queued or running", long.0);
    assert_eq!(skipped.error_message, Some(why));
    assert!(setup.turn("2026-03-03T01:00:10Z").await.started.is_empty());

    setup.end(long, RunStatus::Failed, false).await;
    assert_eq!(setup.turn("2026-03-03T01:00:20Z").await.started.len(), 1);
    assert_eq!(
        setup.told(Job::Daily).await,
        [
            row("schedule", "failed", "2026-03-01"),
            row("schedule", "skipped", "2026-03-02"),
            row("retry", "queued", "2026-03-02"),
        ]
    );
}

#[tokio::test]
async fn a_skipped_sessions_tick_is_left_to_the_next() {
    let setup = Setup::new(&[Job::Sessions], "2026-03-01T12:01:00Z").await;
    setup.turn("2026-03-01T12:15:00Z").await;
    let turn = setup.turn("2026-03-01T12:30:00Z").await;
    assert_eq!(turn.skipped.len(), 1);
    assert_eq!(setup.run(turn.skipped[0]).await.retry_at, None);
}

#[tokio::test]
async fn ticks_of_a_downtime_wait_for_each_other_and_none_is_skipped() {
    let setup = Setup::new(&[Job::Daily], "2026-02-20T12:00:00Z").await;
    let (other, other_clock) = setup.another(&[Job::Daily], "2026-03-01T09:00:00Z");
    setup.clock.set(other_clock.now());
    for _ in 0..3 {
        let (one, two) = tokio::join!(setup.ticker.turn(), other.turn());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one.skipped.is_empty() && two.skipped.is_empty());
        let soon = setup.clock.now() + TimeDelta::seconds(1);
        assert_eq!(one.next.max(two.next), soon, "they look again soon");
    }
    assert_eq!(setup.told(Job::Daily).await, [row("catch_up", "queued", "2026-02-20")]);
    setup.work().await;
    let runs = setup.told(Job::Daily).await;
    assert_eq!(runs.len(), 9);
    assert!(runs.iter().all(|(_, status, _)| status == "completed"), "{runs:?}");
}
