//! `kindred serve`: runs by HTTP, refusals, and its end.

use reqwest::Method;

use crate::support::{DAY, Platform, Server, UNREACHABLE};

#[tokio::test]
async fn a_trigger_waits_for_its_run_and_the_overview_has_its_figures() {
    let platform = Platform::simulated().await;
    let server = Server::start(&platform.kindred(), &["serve"]).await;
    let (status, empty) = server.get("/kpis/overview").await;
    assert_eq!(
        (status.as_u16(), &empty["meta"]["empty"]),
        (200, &true.into()),
        "{empty}"
    );

    let (status, run) = server
        .control(Method::POST, &format!("/trigger/daily?date={DAY}&wait=60&dryRun=true"))
        .await;
    assert_eq!((status.as_u16(), &run["status"]), (200, &"completed".into()), "{run}");
    assert_eq!(
        server.get("/kpis/overview").await.1["meta"]["empty"],
        true,
        "a dry run publishes nothing"
    );

    let (status, run) = server
        .control(Method::POST, &format!("/trigger/daily?date={DAY}&wait=60"))
        .await;
    assert_eq!((status.as_u16(), &run["status"]), (200, &"completed".into()), "{run}");
    assert!(run["steps"].as_array().unwrap().len() >= 5, "{run}");
    let (_, overview) = server.get("/kpis/overview").await;
    assert_eq!(overview["meta"]["date"], DAY, "{overview}");
    let active = "select total_active_users from daily_kpi_summaries";
    assert_eq!(
        overview["currentMetrics"]["dailyActiveUsers"],
        platform.count(active).await
    );
    server.stop().await.expect(0);
}

#[tokio::test]
async fn while_a_run_is_under_way_another_is_refused_and_a_stop_cancels_it() {
    let platform = Platform::simulated().await;
    let server = Server::start(&platform.kindred(), &["serve"]).await;
    let (status, run) = server
        .control(Method::POST, "/trigger/daily?from=2026-01-01&to=2026-03-15&wait=0")
        .await;
    assert_eq!(status, 202, "{run}");
    let (status, refused) = server.control(Method::POST, "/trigger/daily").await;
    assert_eq!((status.as_u16(), &refused["runId"]), (409, &run["runId"]), "{refused}");
    server.stop().await.expect(0);
    let ledger = platform.ledger().await;
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    assert!(["cancelled", "queued"].contains(&ledger[0].0.as_str()), "{ledger:?}");
    assert_eq!(platform.count("select count(*) from daily_kpi_summaries").await, 0);

    // A server that starts later goes on.
    let server = Server::start(&platform.kindred(), &["serve", "etl"]).await;
    assert!(!server.log().contains("KPI API listens"), "{}", server.log());
    assert_ne!(server.idle().await["status"], "queued");
    let (status, run) = server
        .control(Method::POST, &format!("/trigger/daily?date={DAY}"))
        .await;
    assert_eq!((status.as_u16(), &run["status"]), (200, &"completed".into()), "{run}");
    server.stop().await.expect(0);
}

#[tokio::test]
async fn malformed_requests_are_refused_with_a_problem_that_names_what_is_wrong() {
    let platform = Platform::simulated().await;
    let server = Server::start(&platform.kindred(), &["serve"]).await;
    for (request, word) in [
        ("date=yesterday", "date"),
        ("date=2199-01-01", "future"),
        ("from=2026-03-01", "to"),
        ("from=2026-03-02&to=2026-03-01", "2026-03-02"),
        ("date=2026-03-01&from=2026-03-01&to=2026-03-02", "either"),
        ("wait=301", "wait"),
        ("wait=soon", "wait"),
        ("when=now", "when"),
    ] {
        let (status, detail) = server.refusal(Method::POST, &format!("/trigger/daily?{request}")).await;
        assert_eq!(status, 400, "{request}: {detail}");
        assert!(detail.contains(word), "{request}: {detail}");
    }
    let (status, detail) = server.refusal(Method::POST, "/trigger/nightly").await;
    assert_eq!((status, detail.contains("nightly")), (404, true), "{detail}");
    assert_eq!(server.refusal(Method::GET, "/nowhere").await.0, 404);
    assert_eq!(server.refusal(Method::GET, "/trigger/daily").await.0, 405);
    assert_eq!(platform.ledger().await, [], "nothing of this became a run");
    server.stop().await.expect(0);
}

#[tokio::test]
async fn the_control_api_tells_the_schedules_of_its_process_and_which_sources_answer() {
    let platform = Platform::simulated().await;
    let kindred = platform.kindred().with("DAILY_SCHEDULE", "30 4 * * *");
    let kindred = kindred.with("COMMUNICATION_SERVICE_DATABASE_URL", UNREACHABLE);
    let server = Server::start(&kindred, &["serve", "etl"]).await;
    let (_, jobs) = server.control(Method::GET, "/jobs").await;
    assert_eq!(jobs["jobs"][0]["schedule"], "30 4 * * *", "{jobs}");
    let (status, health) = server.control(Method::GET, "/health").await;
    assert_eq!(
        (status.as_u16(), &health["status"]),
        (200, &"degraded".into()),
        "{health}"
    );
    let reachable = |n: usize| health["sources"][n]["reachable"].as_bool();
    let seen = [0, 1, 2, 3, 4].map(reachable);
    assert_eq!(seen, [true, true, false, true, true].map(Some), "{health}");
    server.stop().await.expect(0);
}
