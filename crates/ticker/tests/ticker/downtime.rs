//! First starts, downtime, pauses, and clocks that jump.

use kindred_model::{Job, Trigger};
use kindred_warehouse::{AlertFilter, AlertType, Severity};

use crate::support::{Setup, at, row};

#[tokio::test]
async fn a_new_installation_begins_with_its_next_tick_and_says_when_that_is() {
    let setup = Setup::new(Job::ALL, "2026-03-01T12:02:00Z").await;
    let states = setup.warehouse.job_states().await.unwrap();
    let next: Vec<_> = states.values().map(|state| state.next_tick.unwrap()).collect();
    let expected = [
        "2026-03-02T01:00:00Z",
        "2026-03-01T12:05:00Z",
        "2026-03-02T02:00:00Z",
        "2026-03-01T12:15:00Z",
    ];
    assert_eq!(next, expected.map(at));

    let early = setup.turn("2026-03-01T12:04:55Z").await;
    assert_eq!((early.started.len(), early.next), (0, at("2026-03-01T12:05:00Z")));
    assert_eq!(setup.turn("2026-03-01T12:05:00Z").await.started.len(), 1);
    assert_eq!(
        setup.told(Job::Hourly).await,
        [row("schedule", "queued", "2026-03-01T11:00Z to 2026-03-01T13:00Z")]
    );
    let hourly = setup.warehouse.job_states().await.unwrap()[&Job::Hourly];
    assert_eq!(hourly.last_tick, Some(at("2026-03-01T12:05:00Z")));
    assert_eq!(
        setup.warehouse.next_tick(Job::Hourly).await.unwrap(),
        Some(at("2026-03-01T13:05:00Z"))
    );
}

#[tokio::test]
async fn after_downtime_each_job_is_caught_up_by_its_own_policy() {
    let setup = Setup::new(Job::ALL, "2026-02-14T12:00:00Z").await;
    setup.turn("2026-03-03T09:31:00Z").await;
    setup.work().await;

    let daily = setup.runs(Job::Daily).await;
    assert_eq!(daily.len(), 17);
    assert!(daily.iter().is_sorted_by_key(|run| run.interval_start), "oldest first");
    assert_eq!(daily[0].interval_start, at("2026-02-14T00:00:00Z"));
    let (newest, missed) = daily.split_last().unwrap();
    assert!(missed.iter().all(|run| run.trigger == Trigger::CatchUp));
    assert_eq!(
        (newest.trigger, newest.interval_end),
        (Trigger::Schedule, at("2026-03-03T00:00:00Z"))
    );

    let done = |trigger, interval| row(trigger, "completed", interval);
    assert_eq!(
        setup.told(Job::Weekly).await,
        [
            done("catch_up", "2026-02-09 to 2026-02-16 (exclusive)"),
            done("catch_up", "2026-02-16 to 2026-02-23 (exclusive)"),
            done("schedule", "2026-02-23 to 2026-03-02 (exclusive)"),
        ]
    );
    let hourly = [done("catch_up", "2026-02-14T11:00Z to 2026-03-03T10:00Z")];
    assert_eq!(setup.told(Job::Hourly).await, hourly);
    assert_eq!(setup.told(Job::Sessions).await.len(), 1);
    assert!(setup.turn("2026-03-03T09:32:00Z").await.started.is_empty());
}

#[tokio::test]
async fn days_that_are_too_old_are_noted_once_and_left_to_a_backfill() {
    let setup = Setup::new(&[Job::Daily], "2026-01-01T12:00:00Z").await;
    setup.turn("2026-03-03T09:30:00Z").await;
    setup.work().await;
    let runs = setup.runs(Job::Daily).await;
    let skipped: Vec<_> = runs.iter().filter(|run| run.status.as_str() == "skipped").collect();
    assert_eq!((runs.len(), skipped.len()), (32, 1));
    assert_eq!(skipped[0].interval_start, at("2026-01-01T00:00:00Z"));
    assert_eq!(skipped[0].interval_end, at("2026-01-31T00:00:00Z"));
    assert!(skipped[0].retry_at.is_none());
    assert!(
        skipped[0]
            .error_message
            .as_deref()
            .unwrap()
            .contains("`kindred backfill daily`")
    );
    let alerts = setup.warehouse.alerts(&AlertFilter::default()).await.unwrap();
    let [alert] = &alerts[..] else { panic!("{alerts:?}") };
    assert_eq!(
        (alert.key.alert_type, alert.severity),
        (AlertType::MissingData, Severity::High)
    );
    let backfill = "`kindred backfill daily --from 2026-01-01 --to 2026-01-31`";
    assert!(alert.message.contains(backfill), "{}", alert.message);
}

#[tokio::test]
async fn what_somebody_has_computed_meanwhile_is_not_caught_up() {
    let setup = Setup::new(&[Job::Daily], "2026-03-01T12:00:00Z").await;
    setup.clock.set(at("2026-03-03T00:30:00Z"));
    let request = kindred_warehouse::RunRequest {
        job: Job::Daily,
        interval: kindred_model::DayWindow::day("2026-03-01".parse().unwrap()).into(),
        trigger: Trigger::Manual,
        dry_run: false,
        at: setup.clock.now(),
    };
    setup.warehouse.request(&request).await.unwrap();
    // The ticker of this turn is later: the run is published before anything is due.
    let (run_id, owner) = setup.claim(setup.clock.now()).await.unwrap();
    sqlx::query("update etl_job_runs set status = 'completed', end_time = start_time where id = $1 and owner = $2")
        .bind(run_id)
        .bind(owner)
        .execute(setup.warehouse.pool())
        .await
        .unwrap();
    setup.turn("2026-03-03T09:00:00Z").await;
    setup.work().await;
    let told = [
        row("manual", "completed", "2026-03-01"),
        row("schedule", "completed", "2026-03-02"),
    ];
    assert_eq!(setup.told(Job::Daily).await, told);
}

#[tokio::test]
async fn a_paused_job_starts_nothing_and_is_caught_up_when_it_is_resumed() {
    let setup = Setup::new(&[Job::Daily], "2026-03-01T12:00:00Z").await;
    setup.warehouse.pause(Job::Daily).await.unwrap();
    for day in 2..5 {
        assert!(
            setup
                .turn(&format!("2026-03-0{day}T01:00:00Z"))
                .await
                .started
                .is_empty()
        );
    }
    assert!(setup.warehouse.job_states().await.unwrap()[&Job::Daily].paused);
    assert_eq!(setup.warehouse.next_tick(Job::Daily).await.unwrap(), None);
    setup.warehouse.resume(Job::Daily).await.unwrap();
    setup.work().await;
    let days: Vec<_> = setup
        .told(Job::Daily)
        .await
        .into_iter()
        .map(|(_, _, day)| day)
        .collect();
    assert_eq!(days, ["2026-03-01", "2026-03-02", "2026-03-03"]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_repeats_nothing_and_one_set_forward_is_downtime() {
    let setup = Setup::new(&[Job::Daily], "2026-03-01T12:00:00Z").await;
    setup.turn("2026-03-04T06:00:00Z").await;
    setup.work().await;
    let before = setup.told(Job::Daily).await;
    assert_eq!(before.len(), 3);

    let back = setup.turn("2026-03-02T06:00:00Z").await;
    assert_eq!((back.started.len(), &back.ahead[..]), (0, &[Job::Daily][..]));
    for now in ["2026-03-03T01:00:00Z", "2026-03-04T01:00:00Z", "2026-03-04T06:00:00Z"] {
        assert!(setup.turn(now).await.started.is_empty());
    }
    let state = setup.warehouse.job_states().await.unwrap()[&Job::Daily];
    assert_eq!(state.last_tick, Some(at("2026-03-04T01:00:00Z")), "it never goes back");
    assert_eq!(state.next_tick, Some(at("2026-03-05T01:00:00Z")));
    assert_eq!(setup.turn("2026-03-05T01:00:00Z").await.started.len(), 1);
}
