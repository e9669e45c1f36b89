//! Sources that are away, slow, or cut off in the middle of a read.

use std::fs;
use std::time::Duration;

use kindred_testkit::{Conduct, End, Proxy};
use tokio::time::sleep;

use super::night::Night;
use crate::support::{Kindred, Platform, Server};

/// The round's binary, with a wire between it and all of its sources.
fn by_way_of(kindred: &Kindred, proxy: &Proxy) -> Kindred {
    Platform::sources_at(kindred.clone(), proxy.url())
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_cut_off_in_the_middle_of_their_reading_fail_the_run_and_the_next_one_succeeds() {
    survives(&[1, 6]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "eight places, where `make test` has two: `make test-faults`"]
async fn sources_cut_off_anywhere_in_their_reading_fail_the_run_and_the_next_one_succeeds() {
    survives(&[0, 1, 2, 3, 4, 5, 6, 7]).await;
}

/// Cuts them off after so many eighths of what they send.
async fn survives(places: &[u64]) {
    let night = Night::prepared().await;
    let proxy = Proxy::to(&night.sources().url()).await;
    let round = night.round("whole").await;
    round.run(&by_way_of(&round.kindred, &proxy)).await.expect(0);
    let bytes = proxy.carried(End::Server);
    for eighths in places {
        let round = night.round(&format!("cut-{eighths}")).await;
        let before = proxy.cuts();
        proxy.set(Conduct::CutAfter(End::Server, bytes * eighths / 8 + 100));
        let answer = round.run(&by_way_of(&round.kindred, &proxy)).await;
        let at = format!("cut after {eighths} eighths of {bytes} bytes: {answer}");
        assert_eq!(proxy.cuts(), before + 1, "{at}");
        assert_eq!(answer.code, Some(3), "{at}");
        answer.complains(&["database"]);
        assert_eq!(round.status().await.as_deref(), Some("failed"), "{at}");
        assert!(!night.is_ahead(&round), "{at}");
        night.ends_well(&round, &at).await;
        fs::remove_dir_all(&round.lake).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_are_slow_or_stand_still_for_a_while_only_delay_the_run() {
    let night = Night::prepared().await;
    let proxy = Proxy::to(&night.sources().url()).await;
    let round = night.round("slow").await;
    proxy.set(Conduct::Slow(Duration::from_millis(5)));
    round.run(&by_way_of(&round.kindred, &proxy)).await.expect(0);
    night.is_as_undisturbed(&round, "slow sources").await;

    let round = night.round("still").await;
    proxy.set(Conduct::Carry);
    let run = tokio::spawn(round.run(&by_way_of(&round.kindred, &proxy)));
    while proxy.carried(End::Server) < 20_000 {
        sleep(Duration::from_millis(1)).await;
    }
    proxy.set(Conduct::Stall);
    sleep(Duration::from_secs(3)).await;
    assert!(!run.is_finished());
    proxy.set(Conduct::Carry);
    run.await.unwrap().expect(0);
    night.is_as_undisturbed(&round, "sources that stood still").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_sources_are_away_answers_all_the_same_and_tries_the_run_again_by_itself() {
    let night = Night::prepared().await;
    let proxy = Proxy::to(&night.sources().url()).await;
    let round = night.round("away").await;
    let server = Server::start(&by_way_of(&round.kindred, &proxy), &["serve"]).await;
    proxy.set(Conduct::Refuse);
    let daily = format!("/trigger/daily?date={}&wait=60", night.day);
    let (status, run) = server.control(reqwest::Method::POST, &daily).await;
    assert_eq!((status.as_u16(), &run["status"]), (200, &"failed".into()), "{run}");
    assert_eq!(server.get("/kpis/overview").await.0, 200);
    let (status, health) = server.control(reqwest::Method::GET, "/health").await;
    assert_eq!(
        (status.as_u16(), &health["status"]),
        (200, &"degraded".into()),
        "{health}"
    );

    proxy.set(Conduct::Carry);
    round.time_passes_for_retries().await;
    round
        .until(
            "select count(*) from etl_job_runs where status = 'completed' and trigger = 'retry'",
            1,
        )
        .await;
    let (_, health) = server.control(reqwest::Method::GET, "/health").await;
    assert_eq!(health["warehouse"]["reachable"], true, "{health}");
    server.stop().await.expect(0);
    night.is_as_undisturbed(&round, "the sources were away").await;
}
