//! Which web pages may ask, and what browsers are told of it.

use kindred_api::Access;
use reqwest::header::{HOST, HeaderMap, ORIGIN};
use reqwest::{Method, Response};

use crate::access::{by_tokens, tokens};
use crate::support::{Servers, problem};

const DASHBOARD: &str = "https://dashboard.example.com";

fn of_a_dashboard() -> Access {
    Access::new(Vec::new(), Some(DASHBOARD.parse().unwrap()))
}

/// What a browser asks before it lets a page ask.
async fn preflight(servers: &Servers, url: String, origin: &str) -> Response {
    let request = servers.client().request(Method::OPTIONS, url);
    let request = request
        .header(ORIGIN, origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    request.send().await.unwrap()
}

fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let text = headers[name].to_str().unwrap().to_lowercase();
    text.split(',').map(|word| word.trim().to_owned()).collect()
}

#[tokio::test]
async fn the_dashboards_page_may_ask_and_read_what_it_needs() {
    let servers = Servers::open_to(of_a_dashboard()).await;
    for url in [servers.kpi_url("/kpis/overview"), servers.control_url("/trigger/daily")] {
        let answer = preflight(&servers, url, DASHBOARD).await;
        assert_eq!(answer.status(), 200);
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], DASHBOARD);
        assert_eq!(
            list(headers, "access-control-allow-methods"),
            ["get", "head", "post", "delete"]
        );
        let taken = list(headers, "access-control-allow-headers");
        assert_eq!(
            taken,
            [
                "authorization",
                "content-type",
                "accept",
                "if-none-match",
                "x-request-id"
            ]
        );
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
    for path in ["/kpis/overview", "/kpis/overview?x=1", "/nowhere"] {
        let request = servers.client().get(servers.kpi_url(path)).header(ORIGIN, DASHBOARD);
        let answer = request.send().await.unwrap();
        let headers = answer.headers();
        assert_eq!(headers["access-control-allow-origin"], DASHBOARD, "{path}");
        let shown = list(headers, "access-control-expose-headers");
        assert_eq!(shown, ["etag", "x-cache", "x-request-id", "retry-after", "location"]);
        let varies: Vec<_> = headers.get_all("vary").into_iter().collect();
        assert!(varies.iter().any(|value| *value == "origin"), "{varies:?}");
    }
}

#[tokio::test]
async fn no_other_page_is_let_read_anything() {
    let servers = Servers::open_to(of_a_dashboard()).await;
    for origin in [
        "https://evil.example.com",
        "http://dashboard.example.com",
        "https://dashboard.example.com:8443",
        "https://dashboard.example.com.evil.com",
        "null",
    ] {
        let answer = preflight(&servers, servers.kpi_url("/kpis/overview"), origin).await;
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{origin}"
        );
        let request = servers
            .client()
            .get(servers.kpi_url("/kpis/overview"))
            .header(ORIGIN, origin);
        let answer = request.send().await.unwrap();
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{origin}"
        );
    }
}

#[tokio::test]
async fn without_a_dashboard_browsers_are_told_nothing() {
    let servers = Servers::start().await;
    problem(
        preflight(&servers, servers.kpi_url("/kpis/overview"), DASHBOARD).await,
        405,
    )
    .await;
    let request = servers
        .client()
        .get(servers.kpi_url("/kpis/overview"))
        .header(ORIGIN, DASHBOARD);
    let answer = request.send().await.unwrap();
    let told = answer
        .headers()
        .keys()
        .any(|name| name.as_str().starts_with("access-control"));
    assert!(!told, "{:?}", answer.headers());
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_a_refusal_can_be_read() {
    let servers = Servers::open_to(Access::new(tokens(), Some(DASHBOARD.parse().unwrap()))).await;
    assert_eq!(
        preflight(&servers, servers.kpi_url("/kpis/overview"), DASHBOARD)
            .await
            .status(),
        200
    );
    let request = servers
        .client()
        .get(servers.kpi_url("/kpis/overview"))
        .header(ORIGIN, DASHBOARD);
    let refused = request.send().await.unwrap();
    assert_eq!(refused.headers()["access-control-allow-origin"], DASHBOARD);
    problem(refused, 401).await;
}

/// The status of a page's attempt to start a run or to empty the cache, which any page may send without a preflight.
async fn attempt(servers: &Servers, origin: &str, host: Option<&str>) -> u16 {
    let request = servers.client().post(servers.control_url("/trigger/daily?wait=0"));
    let request = request.header(ORIGIN, origin).header("content-type", "text/plain");
    let request = match host {
        Some(host) => request.header(HOST, host),
        None => request,
    };
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_page_of_another_origin_starts_nothing() {
    let servers = Servers::open_to(of_a_dashboard()).await;
    for origin in [
        "https://evil.example.com",
        "null",
        "http://127.0.0.1:1",
        "http://localhost",
    ] {
        assert_eq!(attempt(&servers, origin, None).await, 403, "{origin}");
    }
    // A name that a stranger has point to this machine is no name of it.
    let rebound = "http://evil.example.com:3010";
    assert_eq!(attempt(&servers, rebound, Some("evil.example.com:3010")).await, 403);
    let request = servers
        .client()
        .delete(servers.kpi_url("/cache"))
        .header(ORIGIN, "null");
    problem(request.send().await.unwrap(), 403).await;
    let runs: i64 = sqlx::query_scalar("select count(*) from etl_job_runs")
        .fetch_one(servers.warehouse.pool())
        .await
        .unwrap();
    assert_eq!(runs, 0);
    // It may be shown figures by who lets it: reading is the browser's to refuse.
    let request = servers
        .client()
        .get(servers.kpi_url("/kpis/overview"))
        .header(ORIGIN, "null");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_dashboard_and_the_servers_own_page_may_start_a_run() {
    let servers = Servers::open_to(of_a_dashboard()).await;
    let own = servers.control_url("");
    assert_eq!(attempt(&servers, DASHBOARD, None).await, 202);
    assert_eq!(attempt(&servers, &own, None).await, 409, "the run is queued");
    assert_eq!(
        attempt(&servers, "http://localhost:3010", Some("localhost:3010")).await,
        409
    );
    assert_eq!(attempt(&servers, "https://[::1]:3010", Some("[::1]:3010")).await, 409);
    let tokens = Servers::open_to(by_tokens()).await;
    let named = attempt(&tokens, "https://kindred.example.com", Some("kindred.example.com")).await;
    assert_eq!(named, 401, "with tokens a server may have any name");
}
