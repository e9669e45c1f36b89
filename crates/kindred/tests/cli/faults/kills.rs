//! A night's run, killed by SIGKILL at random instants and run again: tables and lake come out as if nothing had happened.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::night::Night;
use super::round::Round;

/// To see the rounds of a failure again: its seed.
const REPEAT: Option<u64> = None;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_any_of_twelve_instants_and_run_again_gives_what_an_undisturbed_one_gives() {
    Box::pin(survives(12)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two hundred rounds, where `make test` has twelve: `make test-faults`"]
async fn a_run_killed_at_any_of_two_hundred_instants_and_run_again_gives_what_an_undisturbed_one_gives() {
    Box::pin(survives(200)).await;
}

/// Kills the run at so many random instants of its length.
async fn survives(rounds: usize) {
    let night = Night::prepared().await;
    let seed = REPEAT.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().1);
    let mut random = StdRng::seed_from_u64(seed);
    eprintln!("seed {seed}");

    let mut ends = BTreeMap::<_, usize>::new();
    for number in 0..rounds {
        let round = night.round(&format!("round-{number}")).await;
        let after = random.random_range(Duration::ZERO..night.length);
        let mut end = killed(&round, after).await;
        if end == "under way" && night.is_ahead(&round) {
            end = "under way, files ahead of the commit";
        }
        let at = format!(
            "seed {seed}, round {number}, killed after {after:?} of {:?}, {end}",
            night.length
        );
        night.ends_well(&round, &at).await;
        *ends.entry(end).or_default() += 1;
        fs::remove_dir_all(&round.lake).unwrap();
    }
    eprintln!("{rounds} kills within {:?}: {ends:?}", night.length);
    let midway: usize = ends
        .iter()
        .filter(|(end, _)| end.starts_with("under"))
        .map(|(_, count)| count)
        .sum();
    assert!(midway * 3 >= rounds, "too few kills hit a run under way: {ends:?}");
}

/// Starts the day's run and kills it; how far it was.
async fn killed(round: &Round, after: Duration) -> &'static str {
    let run = round.start(&round.kindred);
    sleep(after).await;
    round.kill(run).await;
    round.time_passes().await;
    match round.status().await.as_deref() {
        None => "not begun",
        Some("queued") => "queued",
        Some("running") => "under way",
        Some("completed") => "published",
        Some(status) => panic!("a killed run cannot end {status}"),
    }
}
