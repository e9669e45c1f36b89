//! A process that is stopped for so long that its lease passes, and then goes on: it must not publish.

use std::fs;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::process::Child;
use tokio::time::Instant;

use super::clock::MovedClock;
use super::gate::{Gate, Place};
use super::night::Night;
use super::round::Round;

/// A lake's files, each with what it holds.
fn contents(round: &Round) -> Vec<(String, Vec<u8>)> {
    let files = round.files().into_iter();
    files
        .map(|file| {
            let bytes = fs::read(round.lake.join(&file)).unwrap();
            (file, bytes)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_process_that_wakes_after_its_lease_has_passed_publishes_nothing() {
    let night = Night::prepared().await;
    for place in [Place::StepBegins(1), Place::StepEnds(5)] {
        let round = night.round(&format!("{place:?}")).await;
        let gate = Gate::at(place, &round.pool).await;
        let mut paused = round.start(&round.kindred);
        gate.reached().await;
        signal(&paused, "STOP");
        gate.open().await;
        round.time_passes().await;
        // Another process takes the run for dead, and does its work.
        round.finish().await;
        let (published, left) = (round.published().await, contents(&round));
        assert_eq!(published, 1, "{place:?}");

        signal(&paused, "CONT");
        assert_eq!(paused.wait().await.unwrap().code(), Some(1), "{place:?}");
        assert_eq!(round.published().await, 1, "{place:?}");
        assert!(contents(&round) == left, "{place:?}: it wrote into the lake");
        night.is_as_undisturbed(&round, &format!("paused at {place:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_paused_in_its_publication_holds_up_no_other_and_goes_on_when_it_wakes() {
    let night = Night::prepared().await;
    let (round, mut paused) = paused_in_its_publication(&night).await;
    // To whom the lease has passed; yet its transaction holds the row of its run.
    let clock = MovedClock::new();
    clock.set(TimeDelta::minutes(5));
    let began = Instant::now();
    let refused = round.run(&clock.of(&round.kindred)).await.expect(1);
    refused.complains(&["queued or running"]);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it took {:?}",
        began.elapsed()
    );

    signal(&paused, "CONT");
    assert!(paused.wait().await.unwrap().success());
    night.is_as_undisturbed(&round, "paused in its publication").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "waits for a minute: `make test-faults`"]
async fn a_process_paused_in_its_publication_for_more_than_a_minute_loses_its_run_to_the_next() {
    let night = Night::prepared().await;
    let (round, mut paused) = paused_in_its_publication(&night).await;
    round.is_left_by_publications().await;
    round.time_passes().await;
    round.finish().await;
    let left = contents(&round);
    signal(&paused, "CONT");
    let ended = paused.wait().await.unwrap();
    assert!(!ended.success(), "{}", round.log());
    assert_eq!(round.published().await, 1);
    assert!(contents(&round) == left, "it wrote into the lake");
    night
        .is_as_undisturbed(&round, "paused in its publication for a minute")
        .await;
}

/// Stopped within its transaction, before it touches the lake.
async fn paused_in_its_publication(night: &Night) -> (Round, Child) {
    let round = night.round("publishing").await;
    let gate = Gate::at(Place::Table("lake_partitions"), &round.pool).await;
    let paused = round.start(&round.kindred);
    gate.reached().await;
    signal(&paused, "STOP");
    gate.open().await;
    (round, paused)
}

fn signal(process: &Child, name: &str) {
    let pid = process.id().expect("it was not waited for").to_string();
    let sent = std::process::Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
}
