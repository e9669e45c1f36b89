//! Two ETL processes on one warehouse and one lake.

use reqwest::Method;

use super::gate::{Gate, Place};
use super::night::Night;
use crate::support::Server;

const LISTENS: &str = "ETL control API listens on ";

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_are_asked_at_once_run_the_day_once_and_after_each_other() {
    let night = Night::prepared().await;
    let round = night.round("two").await;
    let (one, two) = tokio::join!(
        Server::start_until(&round.kindred, &["serve", "etl"], LISTENS),
        Server::start_until(&round.kindred, &["serve", "etl"], LISTENS),
    );
    let gate = Gate::at(Place::StepEnds(2), &round.pool).await;
    let daily = format!("/trigger/daily?date={}&wait=0", night.day);
    let (first, second) = tokio::join!(one.control(Method::POST, &daily), two.control(Method::POST, &daily));
    let mut answers = [first.0.as_u16(), second.0.as_u16()];
    answers.sort_unstable();
    assert_eq!(answers, [202, 409], "{first:?} {second:?}");
    gate.reached().await;
    // Another job waits for its turn, at whichever process.
    let hourly = format!("/trigger/hourly?date={}&wait=0&dryRun=true", night.day);
    let (status, queued) = two.control(Method::POST, &hourly).await;
    assert_eq!(status, 202, "{queued}");
    let running = "select count(*) from etl_job_runs where status = 'running'";
    assert_eq!(round.count(running).await, 1);
    gate.open().await;
    round.until("select count(*) from etl_job_runs where status = 'completed' and parent_id is null and backfill_mode is null", 2).await;
    assert_eq!(round.published().await, 1);
    one.stop().await.expect(0);
    two.stop().await.expect(0);
    night.is_as_undisturbed(&round, "two processes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_leaves_its_run_to_the_other() {
    let night = Night::prepared().await;
    let round = night.round("heir").await;
    let killed = Server::start_until(&round.kindred, &["serve", "etl"], LISTENS).await;
    let gate = Gate::at(Place::StepEnds(3), &round.pool).await;
    let daily = format!("/trigger/daily?date={}&wait=0", night.day);
    assert_eq!(killed.control(Method::POST, &daily).await.0, 202);
    gate.reached().await;
    let heir = Server::start_until(&round.kindred, &["serve", "etl"], LISTENS).await;
    killed.kill().await;
    gate.cut().await;
    gate.open().await;
    // A minute without a sign of life; then the wait before it is tried again.
    round.time_passes().await;
    round
        .until(
            "select count(*) from etl_job_runs where status = 'failed' and retry_at is not null",
            1,
        )
        .await;
    round.time_passes_for_retries().await;
    round
        .until(
            "select count(*) from etl_job_runs where status = 'completed' and trigger = 'retry'",
            1,
        )
        .await;
    heir.stop().await.expect(0);
    night.is_as_undisturbed(&round, "its process was killed").await;
}
