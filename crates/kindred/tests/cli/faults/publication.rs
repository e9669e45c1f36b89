//! The wire to the warehouse is cut while a run publishes.

use std::fs;

use kindred_testkit::{Conduct, End, Proxy};

use super::gate::{Gate, Place};
use super::night::Night;
use super::round::Round;
use crate::support::Kindred;

/// The round's binary, with a wire between it and its warehouse.
async fn wired(night: &Night, name: &str) -> (Round, Proxy, Kindred) {
    let round = night.round(name).await;
    let proxy = Proxy::to(&round.url).await;
    let kindred = round.kindred.clone().with("DATABASE_URL", proxy.url());
    (round, proxy, kindred)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wire_cut_in_the_middle_of_the_publication_publishes_nothing_and_the_next_run_does() {
    survives(&[3, 8]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "ten places, where `make test` has two: `make test-faults`"]
async fn a_wire_cut_anywhere_in_the_publication_publishes_nothing_and_the_next_run_does() {
    survives(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).await;
}

/// Cuts it after so many tenths of what the publication sends.
async fn survives(places: &[u64]) {
    let night = Night::prepared().await;
    let (round, proxy, kindred) = wired(&night, "whole").await;
    // What a run sends before it publishes, and with its publication: nearly all of it is rows.
    let gate = Gate::at(Place::StepEnds(5), &round.pool).await;
    let mut run = round.start(&kindred);
    gate.reached().await;
    proxy.set(Conduct::Carry);
    gate.open().await;
    assert!(run.wait().await.unwrap().success());
    let publication = proxy.carried(End::Client);
    assert!(publication > 50_000, "{publication} bytes");

    for tenths in places {
        let (round, proxy, kindred) = wired(&night, &format!("cut-{tenths}")).await;
        let gate = Gate::at(Place::StepEnds(5), &round.pool).await;
        let run = tokio::spawn(round.run(&kindred));
        gate.reached().await;
        proxy.set(Conduct::CutAfter(End::Client, publication * tenths / 10 + 200));
        gate.open().await;
        let answer = run.await.unwrap().expect(3);
        answer.complains(&["the warehouse could not"]);
        let at = format!("cut after {tenths} tenths of {publication} bytes");
        assert_eq!(proxy.cuts(), 1, "{at}");
        // The run says so itself as soon as the wire is there again.
        assert_eq!(round.status().await.as_deref(), Some("failed"), "{at}");
        assert!(!night.is_ahead(&round), "{at}: the lake was changed");
        night.ends_well(&round, &at).await;
        fs::remove_dir_all(&round.lake).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_a_success() {
    let night = Night::prepared().await;
    let (round, proxy, kindred) = wired(&night, "lost-answer").await;
    let gate = Gate::at(Place::Commit, &round.pool).await;
    let run = tokio::spawn(round.run(&kindred));
    gate.reached().await;
    proxy.cut();
    gate.open().await;
    run.await.unwrap().expect(0).says(&["status    completed"]);
    night
        .is_as_undisturbed(&round, "the answer to the commit was lost")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_lost_is_a_failure_and_the_next_run_repairs_the_lake() {
    let night = Night::prepared().await;
    let (round, proxy, kindred) = wired(&night, "lost-commit").await;
    let gate = Gate::at(Place::Commit, &round.pool).await;
    let run = tokio::spawn(round.run(&kindred));
    gate.reached().await;
    gate.cut().await;
    gate.open().await;
    run.await.unwrap().expect(3);
    drop(proxy);
    assert_eq!(round.status().await.as_deref(), Some("failed"));
    assert!(night.is_ahead(&round));
    night.ends_well(&round, "the commit was lost").await;
}
