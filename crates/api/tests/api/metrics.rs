//! What monitoring reads.

use std::collections::BTreeMap;
use std::time::Duration;

use kindred_model::{Job, RunStatus};
use reqwest::Method;
use reqwest::header::AUTHORIZATION;

use crate::access::by_tokens;
use crate::support::{Servers, body};

/// Every sample of `GET /metrics`, by its name and labels as they are written.
async fn samples(servers: &Servers) -> BTreeMap<String, f64> {
    let answer = servers.kpi(Method::GET, "/metrics").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4");
    read(&answer.text().await.unwrap())
}

fn read(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(sample).collect()
}

fn requests(server: &str, method: &str, route: &str, status: u16) -> String {
    let labels = format!("method=\"{method}\",route=\"{route}\",server=\"{server}\",status=\"{status}\"");
    format!("kindred_http_requests_total{{{labels}}}")
}

#[tokio::test]
async fn requests_are_counted_by_their_route_and_never_by_what_was_written() {
    let servers = Servers::start().await;
    let before = samples(&servers).await;
    assert!(!before.keys().any(|name| name.contains("/kpis/overview")));
    servers.get("/kpis/overview").await;
    servers.get("/kpis/overview?compare=previous").await;
    servers.kpi(Method::GET, "/kpis/overview?token=s3cret-word").await;
    servers.kpi(Method::GET, "/s3cret-path").await;
    servers.kpi("S3CRET".parse().unwrap(), "/health").await;
    let unknown = "/runs/0190b5a0-0000-7000-8000-000000000001";
    body(servers.control(Method::GET, unknown).await, 404).await;

    let after = samples(&servers).await;
    assert_eq!(after[&requests("kpi", "GET", "/kpis/overview", 200)], 2.0);
    assert_eq!(after[&requests("kpi", "GET", "/kpis/overview", 400)], 1.0);
    assert_eq!(after[&requests("kpi", "GET", "none", 404)], 1.0);
    assert_eq!(after[&requests("kpi", "other", "/health", 405)], 1.0);
    assert_eq!(after[&requests("control", "GET", "/runs/{id}", 404)], 1.0);
    assert_eq!(after[&requests("kpi", "GET", "/metrics", 200)], 1.0, "the one before");
    assert!(
        !after.keys().any(|name| name.to_lowercase().contains("s3cret")),
        "{after:#?}"
    );
    let counted = requests("kpi", "GET", "/kpis/overview", 200);
    let counted = counted.replace("requests_total", "request_duration_seconds_count");
    assert_eq!(after[&counted], 2.0);
    for process in [
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
    ] {
        assert!(after.contains_key(process), "{process}");
    }
}

#[tokio::test]
async fn both_servers_tell_the_same_process() {
    let servers = Servers::start().await;
    servers.get("/kpis/overview").await;
    let told = servers.control(Method::GET, "/metrics").await.text().await.unwrap();
    assert_eq!(read(&told)[&requests("kpi", "GET", "/kpis/overview", 200)], 1.0);
}

#[tokio::test]
async fn the_cache_is_counted_as_it_is_used() {
    let servers = Servers::caching(Duration::from_secs(300)).await;
    let cache = |samples: &BTreeMap<String, f64>| {
        ["hits_total", "misses_total", "entries"].map(|name| samples[&format!("kindred_cache_{name}")])
    };
    assert_eq!(cache(&samples(&servers).await), [0.0, 0.0, 0.0]);
    for path in [
        "/kpis/overview",
        "/kpis/overview",
        "/kpis/active-users",
        "/kpis/overview",
    ] {
        servers.get(path).await;
    }
    servers.kpi(Method::GET, "/kpis/overview?x=1").await;
    let [hits, misses, _] = cache(&samples(&servers).await);
    assert_eq!((hits, misses), (2.0, 2.0));
    servers.kpi(Method::DELETE, "/cache").await;
    assert_eq!(cache(&samples(&servers).await), [2.0, 2.0, 0.0]);
}

#[tokio::test]
async fn sources_jobs_and_alerts_are_told_as_they_stand() {
    let servers = Servers::start().await;
    let fresh = samples(&servers).await;
    assert_eq!(fresh["kindred_warehouse_up"], 1.0);
    assert_eq!(fresh["kindred_job_running{job=\"daily\"}"], 0.0);
    assert_eq!(fresh["kindred_data_quality_alerts_open{severity=\"critical\"}"], 0.0);
    assert!(!fresh.keys().any(|name| name.starts_with("kindred_source_watermark")));
    assert!(!fresh.keys().any(|name| name.starts_with("kindred_job_last_success")));
    assert!(
        fresh
            .iter()
            .all(|(name, value)| !name.starts_with("kindred_job_last_run") || *value == 0.0)
    );

    let now = servers.clock.now();
    servers.extracted_to(now - chrono::TimeDelta::hours(2)).await;
    servers.ended(Job::Daily, RunStatus::Completed).await;
    servers.clock.set(now + chrono::TimeDelta::hours(1));
    servers.ended(Job::Daily, RunStatus::Failed).await;
    let running = servers.queued(Job::Hourly, "2024-11-17", "2024-11-18").await;
    let owner = uuid::Uuid::new_v4();
    servers.warehouse.claim(running, owner, now).await.unwrap().unwrap();
    servers
        .execute(
            "insert into data_quality_alerts
                 (id, alert_type, table_name, check_name, dimension, alert_message, severity, created_at, last_seen_at,
                  is_resolved, resolved_at)
             select gen_random_uuid(), 'data_drop', 'daily_kpi_summaries', 'drop', n::text, 'fewer', severity, now(), now(),
                 resolved, case when resolved then now() end
             from (values (1, 'high', false), (2, 'high', false), (3, 'low', false), (4, 'low', true))
                 as alert(n, severity, resolved)",
        )
        .await;

    let told = samples(&servers).await;
    let seconds = now.timestamp_millis() as f64 / 1000.0;
    for source in ["users", "interactions", "communications", "events"] {
        let name = format!("kindred_source_watermark_timestamp_seconds{{source=\"{source}\"}}");
        assert_eq!(told[&name], seconds - 7200.0);
    }
    assert_eq!(
        told["kindred_job_last_success_timestamp_seconds{job=\"daily\"}"],
        seconds
    );
    assert_eq!(
        told["kindred_job_last_run_status{job=\"daily\",status=\"failed\"}"],
        1.0
    );
    assert_eq!(
        told["kindred_job_last_run_status{job=\"daily\",status=\"completed\"}"],
        0.0
    );
    assert_eq!(
        told["kindred_job_last_run_status{job=\"hourly\",status=\"running\"}"],
        1.0
    );
    let running = |job: &str| told[&format!("kindred_job_running{{job=\"{job}\"}}")];
    assert_eq!(
        ["daily", "hourly", "weekly", "sessions"].map(running),
        [0.0, 1.0, 0.0, 0.0]
    );
    let open = |severity: &str| told[&format!("kindred_data_quality_alerts_open{{severity=\"{severity}\"}}")];
    assert_eq!(["low", "medium", "high", "critical"].map(open), [1.0, 0.0, 2.0, 0.0]);
}

#[tokio::test]
async fn without_a_warehouse_the_rest_is_told() {
    for servers in [Servers::without_warehouse().await, Servers::unmigrated().await] {
        servers.kpi(Method::GET, "/kpis/overview").await;
        let told = samples(&servers).await;
        assert_eq!(told["kindred_warehouse_up"], 0.0);
        assert_eq!(told[&requests("kpi", "GET", "/kpis/overview", 503)], 1.0);
        let of_the_warehouse = ["kindred_source", "kindred_job", "kindred_data"];
        let left = told
            .keys()
            .find(|name| of_the_warehouse.iter().any(|of| name.starts_with(of)));
        assert_eq!(left, None);
    }
}

#[tokio::test]
async fn a_token_that_is_used_too_often_is_told_by_its_name() {
    let servers = Servers::open_to(by_tokens()).await;
    let ask = || {
        let request = servers.client().get(servers.kpi_url("/metrics"));
        let request = request.header(AUTHORIZATION, "Bearer token-of-a-viewer");
        async { request.send().await.unwrap() }
    };
    let asked = futures::future::join_all((0..150).map(|_| ask())).await;
    let refused = asked.iter().filter(|answer| answer.status() == 429).count();
    assert!(refused > 0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let text = ask().await.text().await.unwrap();
    assert_eq!(
        read(&text)["kindred_http_rate_limited_total{token=\"name-of-viewer\"}"],
        refused as f64
    );
    assert!(!text.contains("token-of"), "{text}");
}
