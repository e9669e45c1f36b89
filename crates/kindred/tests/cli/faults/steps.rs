//! A run that is killed exactly where one step ends and the next begins, and at the turning points of its publication.

use std::fs;

use super::gate::{Gate, Place};
use super::night::Night;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_at_the_end_of_a_step_and_run_again_gives_what_an_undisturbed_one_gives() {
    survives(&[
        Place::StepEnds(1),
        Place::StepEnds(3),
        Place::StepEnds(5),
        Place::Table("lake_partitions"),
        Place::Commit,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "every boundary, where `make test` has five: `make test-faults`"]
async fn a_run_killed_at_any_boundary_of_its_steps_and_run_again_gives_what_an_undisturbed_one_gives() {
    survives(&Place::all()).await;
}

/// Kills the run at each of the places.
async fn survives(places: &[Place]) {
    let night = Night::prepared().await;
    for &place in places {
        let round = night.round(&format!("{place:?}")).await;
        let gate = Gate::at(place, &round.pool).await;
        let mut run = round.start(&round.kindred);
        gate.reached().await;
        assert_eq!(
            night.is_ahead(&round),
            matches!(place, Place::Commit),
            "{place:?}: the lake's files change at the very end"
        );
        run.kill().await.unwrap();
        // The server, too, gives up what it was at: nothing of a transaction is left.
        gate.cut().await;
        gate.open().await;
        round.is_left().await;
        assert_eq!(round.status().await.as_deref(), Some("running"), "{place:?}");
        assert_eq!(round.published().await, 0, "{place:?}");
        round.time_passes().await;
        night.ends_well(&round, &format!("killed at {place:?}")).await;
        fs::remove_dir_all(&round.lake).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_while_its_commit_is_on_the_way_is_published_once() {
    let night = Night::prepared().await;
    let round = night.round("commit").await;
    let gate = Gate::at(Place::Commit, &round.pool).await;
    let mut run = round.start(&round.kindred);
    gate.reached().await;
    run.kill().await.unwrap();
    gate.open().await;
    round.is_left().await;
    assert_eq!(
        (round.status().await.as_deref(), round.published().await),
        (Some("completed"), 1)
    );
    night.ends_well(&round, "killed while its commit was on the way").await;
}
