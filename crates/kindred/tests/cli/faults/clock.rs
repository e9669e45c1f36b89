//! A machine's clock that is wrong, or set while the program runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use chrono::TimeDelta;
use tempfile::TempDir;
use tokio::time::sleep;

use super::gate::{Gate, Place};
use super::night::Night;
use super::outcome::assert_same;
use crate::support::{Kindred, Server, home};

/// A clock of its own for the binary: `clock.c` stands before the machine's.
pub(super) struct MovedClock {
    home: TempDir,
    library: PathBuf,
}

impl MovedClock {
    pub(super) fn new() -> Self {
        let home = home();
        let library = home.path().join("clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/faults/clock.c");
        // Whoever builds Rust has a C compiler, which links for it.
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .status();
        assert!(built.unwrap().success());
        let clock = Self { home, library };
        clock.set(TimeDelta::zero());
        clock
    }

    /// So far from the machine's.
    pub(super) fn set(&self, offset: TimeDelta) {
        let new = self.home.path().join("new");
        fs::write(&new, offset.num_seconds().to_string()).unwrap();
        fs::rename(new, self.home.path().join("offset")).unwrap();
    }

    pub(super) fn of(&self, kindred: &Kindred) -> Kindred {
        let offset = self.home.path().join("offset");
        kindred
            .clone()
            .with("LD_PRELOAD", self.library.to_str().unwrap())
            .with("CLOCK_OFFSET", offset.to_str().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_in_the_middle_of_a_run_changes_nothing_of_what_it_publishes() {
    let night = Night::prepared().await;
    let clock = MovedClock::new();
    for jump in [TimeDelta::hours(-2), TimeDelta::days(3)] {
        let round = night.round(&format!("jump{}", jump.num_hours())).await;
        clock.set(TimeDelta::zero());
        let gate = Gate::at(Place::StepEnds(1), &round.pool).await;
        let run = tokio::spawn(round.run(&clock.of(&round.kindred)));
        gate.reached().await;
        clock.set(jump);
        gate.open().await;
        run.await.unwrap().expect(0);
        let negative = "select count(*) from etl_job_runs where execution_time_ms < 0";
        assert_eq!(round.count(negative).await, 0, "{jump}: a run took less than no time");
        night
            .is_as_undisturbed(&round, &format!("the clock jumped by {jump}"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_after_a_run_whose_clock_was_ahead_is_not_missed() {
    let night = Night::prepared().await;
    let clock = MovedClock::new();
    let (right, ahead) = (night.round("right").await, night.round("ahead").await);
    let to_midnight = "select extract(epoch from date_trunc('day', now(), 'UTC') + interval '1 day' - now())::bigint";
    clock.set(TimeDelta::seconds((right.count(to_midnight).await / 2).max(900)));
    ahead.run(&clock.of(&ahead.kindred)).await.expect(0);
    right.finish().await;
    // Beyond the ten minutes that every run looks behind its watermark; the row is of a day that is long closed.
    super::night::alter(
        &night.sources().url(),
        "update user_sessions set ended_at = started_at + interval '95 seconds', updated_at = now()
         where started_at >= date_trunc('day', now(), 'UTC') - interval '9 days'
             and started_at < date_trunc('day', now(), 'UTC') - interval '7 days'",
    )
    .await;
    right.finish().await;
    ahead.finish().await;
    let expected = right.outcome().await;
    assert!(expected != night.expected, "the change makes a difference");
    assert_same("the clock was ahead", &ahead.outcome().await, &expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_dies_under_a_clock_that_is_ahead_is_dead_a_minute_later() {
    let night = Night::prepared().await;
    let clock = MovedClock::new();
    clock.set(TimeDelta::hours(5));
    let round = night.round("ahead").await;
    let gate = Gate::at(Place::StepEnds(2), &round.pool).await;
    let mut run = round.start(&clock.of(&round.kindred));
    gate.reached().await;
    run.kill().await.unwrap();
    gate.cut().await;
    gate.open().await;
    round.is_left().await;
    // As far as anybody knows, it lives.
    round
        .run(&round.kindred)
        .await
        .expect(1)
        .complains(&["queued or running"]);
    round
        .alter("update etl_job_runs set heartbeat_at = heartbeat_at - interval '61 seconds'")
        .await;
    night.ends_well(&round, "killed under a clock that was ahead").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_forward_over_a_tick_and_back_runs_the_day_once() {
    let night = Night::prepared().await;
    let clock = MovedClock::new();
    let round = night.round("ticks").await;
    let since_midnight = "select extract(epoch from now() - date_trunc('day', now(), 'UTC'))::bigint";
    let at = async |hours: i64| {
        let since = TimeDelta::seconds(round.count(since_midnight).await);
        clock.set(TimeDelta::hours(hours) - since);
    };
    at(-2).await;
    let kindred = clock.of(&round.kindred).with("DAILY_SCHEDULE", "0 1 * * *");
    let server = Server::start_until(&kindred, &["serve", "etl"], "ETL control API listens on ").await;
    round
        .until(
            "select count(*) from job_ticks where job_name = 'daily' and next_tick is not null",
            1,
        )
        .await;
    assert_eq!(round.published().await, 0);
    at(2).await;
    let published = "select count(*) from etl_job_runs where status = 'completed' and backfill_mode is null
        and parent_id is null";
    round.until(published, 1).await;
    for hours in [-2, 3] {
        at(hours).await;
        // The ticker takes a turn every ten seconds at least.
        sleep(Duration::from_secs(11)).await;
        assert_eq!(round.count(published).await, 1);
    }
    server.stop().await.expect(0);
    night
        .is_as_undisturbed(&round, "the clock was set forward and back")
        .await;
}
