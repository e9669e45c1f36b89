//! A warehouse that is stopped, killed or stands still while the servers serve and a run is under way.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use kindred_embedded_pg::{EmbeddedPg, Options, start};
use kindred_testkit::{Conduct, Proxy};
use reqwest::Method;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::gate::{Gate, Place};
use super::night::Night;
use super::round::Round;
use crate::support::{Server, home};

/// Within which time the servers answer again once the warehouse does.
const RECOVERY: Duration = Duration::from_secs(5);

const WAREHOUSE: &str = "warehouse";

/// It needs the warehouse: no answer is kept.
const OVERVIEW: &str = "/kpis/overview";

/// A server of the test's own, which keeps what it holds.
async fn server_of(home: &Path) -> EmbeddedPg {
    start(Options::new(home.join("own"))).await.unwrap()
}

/// The night on a server of its own, whose run waits in the middle.
async fn under_way(night: &Night, home: &TempDir) -> (EmbeddedPg, Round, Server, Gate) {
    let own = server_of(home.path()).await;
    own.create_database(WAREHOUSE).await.unwrap();
    let round = night.round_at(&own.url(WAREHOUSE)).await;
    let server = Server::start(&round.kindred.clone().with("CACHE_TTL", "0"), &["serve"]).await;
    let gate = Gate::at(Place::Table("lake_partitions"), &round.pool).await;
    let daily = format!("/trigger/daily?date={}&wait=0", night.day);
    assert_eq!(server.control(Method::POST, &daily).await.0, 202);
    gate.reached().await;
    (own, round, server, gate)
}

/// Waits until both servers answer, for as long as they may take.
async fn answer_again(server: &Server) {
    let began = Instant::now();
    loop {
        let standing = server.standing(OVERVIEW, "/health").await;
        if standing.iter().all(|(status, _)| *status == 200) {
            break;
        }
        assert!(began.elapsed() < RECOVERY, "they do not recover: {standing:?}");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(began.elapsed() < RECOVERY, "it took {:?}", began.elapsed());
}

/// Demands that they say when to ask again.
async fn are_unavailable(server: &Server, at: &str) {
    let away = (503, Some("5".to_owned()));
    for (kpi, control) in [(OVERVIEW, "/health"), ("/ready", "/runs")] {
        let standing = server.standing(kpi, control).await;
        assert_eq!(standing, [away.clone(), away.clone()], "{at}: {kpi} {control}");
    }
    assert_eq!(server.get("/health").await.0, 200, "{at}: the process itself is well");
}

/// What was under way is failed, tried again by the server itself, and published.
async fn is_repeated(night: &Night, round: &Round, server: Server, at: &str) {
    round.time_passes().await;
    let failed =
        "select count(*) from etl_job_runs where status = 'failed' and trigger = 'manual' and retry_at is not null";
    round.until(failed, 1).await;
    round.time_passes_for_retries().await;
    let repeated = "select count(*) from etl_job_runs where status = 'completed' and trigger = 'retry'";
    round.until(repeated, 1).await;
    server.stop().await.expect(0);
    night.is_as_undisturbed(round, at).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_warehouse_is_stopped_both_servers_answer_503_and_soon_after_it_is_back_200() {
    let night = Night::prepared().await;
    let home = home();
    let (own, round, server, gate) = under_way(&night, &home).await;
    let closed = timeout(Duration::from_secs(40), own.close()).await;
    closed.expect("it stops").unwrap();
    drop(gate);
    are_unavailable(&server, "stopped").await;

    let own = server_of(home.path()).await;
    answer_again(&server).await;
    let round = round.reconnected(&own.url(WAREHOUSE));
    is_repeated(&night, &round, server, "the warehouse was stopped").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_killed_in_mid_publication_takes_nothing_with_it() {
    let night = Night::prepared().await;
    let home = home();
    let (own, round, server, gate) = under_way(&night, &home).await;
    let pid = std::fs::read_to_string(home.path().join("own/postgres/data/postmaster.pid")).unwrap();
    let killed = Command::new("kill")
        .args(["-KILL", pid.lines().next().unwrap()])
        .status();
    assert!(killed.unwrap().success());
    drop(gate);
    // It is started again by whoever keeps it, and recovers.
    let began = Instant::now();
    let round = round.reconnected(&own.url(WAREHOUSE));
    while sqlx::query("select 1").execute(&round.pool).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come back");
        sleep(Duration::from_millis(50)).await;
    }
    answer_again(&server).await;
    assert_eq!(round.published().await, 0);
    is_repeated(&night, &round, server, "the warehouse was killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_wire_to_the_warehouse_is_dead_the_servers_answer_503_and_slow_it_only_delays_them() {
    let night = Night::prepared().await;
    let round = night.round("wire").await;
    let proxy = Proxy::to(&round.url).await;
    let wired = round.kindred.clone().with("CACHE_TTL", "0");
    let wired = wired.with("DATABASE_URL", proxy.url());
    let server = Server::start(&wired, &["serve"]).await;
    proxy.set(Conduct::Slow(Duration::from_millis(10)));
    let daily = format!("/trigger/daily?date={}&wait=90", night.day);
    let (status, run) = server.control(Method::POST, &daily).await;
    assert_eq!((status.as_u16(), &run["status"]), (200, &"completed".into()), "{run}");
    answer_again(&server).await;

    for conduct in [Conduct::Refuse, Conduct::Stall] {
        proxy.set(conduct);
        are_unavailable(&server, &format!("{conduct:?}")).await;
        proxy.set(Conduct::Carry);
        answer_again(&server).await;
    }
    server.stop().await.expect(0);
    night.is_as_undisturbed(&round, "a slow warehouse").await;
}
