use reqwest::Method;

use crate::support::{Servers, problem};

#[tokio::test]
async fn a_mistake_in_the_query_is_told_in_its_own_words() {
    let servers = Servers::start().await;
    let mistakes = [
        (
            "/kpis/overview?compare=next",
            "compare: `previous` is all that there is",
        ),
        ("/kpis/overview?x=1", "unknown field `x`"),
        (
            "/kpis/active-users?breakdown=plan",
            "`plan` is no breakdown; expected one of platform, country, app_version, gender",
        ),
        (
            "/kpis/active-users?breakdown=platform&granularity=weekly",
            "breakdown: there is one of daily buckets only, and weekly ones are asked for",
        ),
        (
            "/kpis/active-users?compare=",
            "compare: `previous` is all that there is",
        ),
        (
            "/kpis/active-users?granularity=yearly",
            "`yearly` is no granularity; expected one of hourly, daily",
        ),
        ("/kpis/active-users?granularity=Daily", "`Daily` is no granularity"),
        (
            "/kpis/active-users?granularity=daily&granularity=weekly",
            "duplicate field `granularity`",
        ),
        ("/kpis/active-users?range=0d", "`0d` is no timeframe"),
        ("/kpis/active-users?range=10000d", "`10000d` is no timeframe"),
        ("/kpis/active-users?range=", "`` is no timeframe"),
        ("/kpis/active-users?range=%00", "is no timeframe"),
        (
            "/kpis/active-users?range=2001h&granularity=hourly",
            "more than 2000 hourly buckets",
        ),
        (
            "/kpis/active-users?range=9999q&granularity=hourly",
            "more than 2000 hourly buckets",
        ),
        (
            "/kpis/active-users?from=1900-01-01&to=2024-11-01",
            "more than 2000 daily buckets",
        ),
        (
            "/kpis/active-users?from=0001-01-01&to=0001-02-01",
            "`from` 0001-01-01 lies before 1900",
        ),
        ("/kpis/active-users?range=7d&timeframe=7d", "the same"),
        ("/kpis/active-users?range=7d&from=2024-11-01&to=2024-11-02", "either"),
        ("/kpis/active-users?from=2024-11-01", "come together"),
        ("/kpis/active-users?to=2024-11-01", "come together"),
        ("/kpis/active-users?from=2024-11-02&to=2024-11-02", "holds no day"),
        ("/kpis/active-users?from=2024-11-03&to=2024-11-02", "holds no day"),
        ("/kpis/active-users?from=2024-11-18&to=2024-11-20", "in the future"),
        (
            "/kpis/active-users?from=2024-02-30&to=2024-03-02",
            "`2024-02-30` is no date",
        ),
        (
            "/kpis/active-users?from=2024-2-3&to=2024-03-02",
            "`2024-2-3` is no date",
        ),
        (
            "/kpis/active-users?from=%2B262142-12-30&to=%2B262142-12-31",
            "is no date",
        ),
        ("/kpis/active-users?includePartial=yes", "includePartial"),
    ];
    for (path, detail) in mistakes {
        let problem = problem(servers.kpi(Method::GET, path).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{path}: {told}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_taken_are_problems_too() {
    let servers = Servers::start().await;
    for path in [
        "/",
        "/kpis",
        "/kpis/",
        "/kpis/overview/",
        "/kpis/cohorts",
        "/KPIS/overview",
        "/trigger/daily",
    ] {
        problem(servers.kpi(Method::GET, path).await, 404).await;
    }
    let refused = servers.kpi(Method::POST, "/kpis/overview").await;
    assert_eq!(refused.headers()["allow"], "GET,HEAD");
    problem(refused, 405).await;
    problem(servers.control(Method::GET, "/trigger/daily").await, 405).await;
    problem(servers.control(Method::POST, "/trigger/nightly").await, 404).await;
    for (method, path) in [
        (Method::POST, "/health"),
        (Method::POST, "/jobs"),
        (Method::GET, "/jobs/daily/pause"),
        (Method::GET, "/jobs/daily/resume"),
        (Method::DELETE, "/runs"),
        (Method::POST, "/runs/0190b5a0-0000-7000-8000-000000000001"),
        (Method::GET, "/runs/0190b5a0-0000-7000-8000-000000000001/cancel"),
        (Method::GET, "/backfill"),
    ] {
        problem(servers.control(method, path).await, 405).await;
    }
    for (method, path) in [
        (Method::GET, "/jobs/daily"),
        (Method::POST, "/jobs/nightly/pause"),
        (Method::POST, "/jobs/daily/stop"),
        (Method::POST, "/backfill/daily"),
        (Method::GET, "/runs/"),
    ] {
        problem(servers.control(method, path).await, 404).await;
    }
    problem(servers.control(Method::POST, "/trigger/").await, 404).await;
    problem(servers.control(Method::POST, "/trigger/%FF").await, 400).await;
    problem(servers.control(Method::GET, "/kpis/overview").await, 404).await;
}

#[tokio::test]
async fn a_body_longer_than_64_kib_is_refused() {
    let servers = Servers::start().await;
    let body = reqwest::Client::new()
        .post(servers.control_url("/trigger/daily?wait=0"))
        .body(vec![b'x'; 64 * 1024 + 1]);
    problem(body.send().await.unwrap(), 413).await;
}

#[tokio::test]
async fn without_a_warehouse_every_figure_is_503_and_says_when_to_ask_again() {
    let servers = Servers::without_warehouse().await;
    for path in ["/kpis/overview", "/kpis/active-users", "/ready"] {
        let response = servers.kpi(Method::GET, path).await;
        assert_eq!(response.headers()["retry-after"], "5", "{path}");
        problem(response, 503).await;
    }
    for (method, path) in [
        (Method::POST, "/trigger/daily?wait=0"),
        (Method::GET, "/jobs"),
        (Method::POST, "/jobs/daily/pause"),
        (Method::GET, "/runs"),
        (Method::GET, "/runs/0190b5a0-0000-7000-8000-000000000001"),
        (Method::POST, "/runs/0190b5a0-0000-7000-8000-000000000001/cancel"),
    ] {
        let response = servers.control(method, path).await;
        assert_eq!(response.headers()["retry-after"], "5", "{path}");
        problem(response, 503).await;
    }
}

#[tokio::test]
async fn without_tables_every_figure_is_503() {
    let servers = Servers::unmigrated().await;
    for path in ["/kpis/overview", "/kpis/active-users", "/ready"] {
        problem(servers.kpi(Method::GET, path).await, 503).await;
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id_the_callers_own_when_it_is_plain() {
    let servers = Servers::start().await;
    let id = |response: reqwest::Response| response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let first = id(servers.kpi(Method::GET, "/health").await);
    let second = id(servers.kpi(Method::GET, "/nowhere").await);
    assert!(first.len() == 36 && second.len() == 36 && first != second);

    let named = |name: &'static str| {
        servers
            .client()
            .get(servers.kpi_url("/health"))
            .header("X-Request-Id", name)
            .send()
    };
    assert_eq!(id(named("nightly-check.7_a").await.unwrap()), "nightly-check.7_a");
    assert_ne!(id(named("two words").await.unwrap()), "two words");
    let long = "x".repeat(65);
    let request = servers
        .client()
        .get(servers.kpi_url("/health"))
        .header("X-Request-Id", &long);
    assert_ne!(id(request.send().await.unwrap()), long);
}
