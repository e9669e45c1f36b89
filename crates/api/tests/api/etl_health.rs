use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use kindred_api::Reach;
use kindred_model::{Job, RunStatus, Source};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{NOW, Servers, body};

async fn health(servers: &Servers, status: u16) -> Value {
    servers.answer(Method::GET, "/health", status).await
}

/// Servers whose sources were read half an hour ago.
async fn fresh() -> Servers {
    let servers = Servers::start().await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
}

#[tokio::test]
async fn a_warehouse_that_was_never_filled_is_degraded() {
    let health = health(&Servers::start().await, 200).await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["warehouse"]["reachable"], true);
    assert!(health["warehouse"]["latencyMs"].as_f64().unwrap() > 0.0);
    let never = |job| json!({"job": job, "lastRun": null, "nextTick": null});
    assert_eq!(
        health["jobs"],
        json!(["daily", "hourly", "weekly", "sessions"].map(never))
    );
    assert_eq!(
        health["sources"][3],
        json!({
            "source": "moderation", "required": false, "reachable": null, "latencyMs": null, "lastExtraction": null,
            "lastRowAt": null, "datasets": 0,
        })
    );
}

#[tokio::test]
async fn sources_read_lately_and_a_completed_run_are_ok() {
    let servers = fresh().await;
    servers
        .execute("insert into job_ticks (job_name, next_tick) values ('daily', '2024-11-18 01:00+00')")
        .await;
    let run_id = servers.ended(Job::Daily, RunStatus::Completed).await;
    let health = health(&servers, 200).await;
    assert_eq!(health["status"], "ok");
    let users = &health["sources"][0];
    assert!(users["latencyMs"].as_f64().is_some(), "{users}");
    assert_eq!(
        users,
        &json!({
            "source": "users", "required": true, "reachable": true, "latencyMs": users["latencyMs"],
            "lastExtraction": "2024-11-17T14:05:00.000Z", "lastRowAt": "2024-11-17T14:04:00.000Z", "datasets": 1,
        })
    );
    let daily = &health["jobs"][0];
    assert_eq!(daily["nextTick"], "2024-11-18T01:00:00.000Z");
    assert_eq!(
        (&daily["lastRun"]["runId"], &daily["lastRun"]["status"]),
        (&json!(run_id), &json!("completed"))
    );
    assert_eq!(health["generatedAt"], NOW);

    servers.clock.set(at("2024-11-17T14:05:00Z") + TimeDelta::hours(50));
    assert_eq!(
        self::health(&servers, 200).await["status"],
        "degraded",
        "nothing was read for two days"
    );
}

#[tokio::test]
async fn a_job_that_failed_last_is_degraded_whatever_was_skipped_since() {
    let servers = fresh().await;
    servers.ended(Job::Hourly, RunStatus::Completed).await;
    servers.clock.set(at(NOW) + TimeDelta::minutes(1));
    let failed = servers.ended(Job::Hourly, RunStatus::Failed).await;
    servers.clock.set(at(NOW) + TimeDelta::minutes(2));
    servers.ended(Job::Hourly, RunStatus::Skipped).await;
    let degraded = health(&servers, 200).await;
    assert_eq!(degraded["status"], "degraded");
    assert_eq!(degraded["jobs"][1]["lastRun"]["runId"], json!(failed));
    servers.clock.set(at(NOW) + TimeDelta::minutes(3));
    servers.ended(Job::Hourly, RunStatus::Completed).await;
    assert_eq!(health(&servers, 200).await["status"], "ok");
}

#[tokio::test]
async fn a_required_source_that_does_not_answer_is_degraded_and_an_optional_one_is_not() {
    let servers = fresh().await;
    servers
        .sources
        .lock()
        .unwrap()
        .insert(Source::Interactions, Some(Reach::Silent));
    let degraded = health(&servers, 200).await;
    assert_eq!(degraded["status"], "degraded");
    let seen = |health: &Value, n: usize| {
        (
            health["sources"][n]["reachable"].clone(),
            health["sources"][n]["latencyMs"].clone(),
        )
    };
    assert_eq!(seen(&degraded, 1), (json!(false), json!(null)));
    assert_eq!(seen(&degraded, 0).0, json!(true));

    let servers = fresh().await;
    servers
        .sources
        .lock()
        .unwrap()
        .insert(Source::Moderation, Some(Reach::Silent));
    let ok = health(&servers, 200).await;
    assert_eq!((&ok["status"], seen(&ok, 3).0), (&json!("ok"), json!(false)));
}

#[tokio::test]
async fn a_source_that_says_nothing_counts_as_down_after_two_seconds() {
    let servers = fresh().await;
    servers.sources.lock().unwrap().insert(Source::Events, None);
    let began = std::time::Instant::now();
    let degraded = health(&servers, 200).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(
        (&degraded["status"], &degraded["sources"][4]["reachable"]),
        (&json!("degraded"), &json!(false))
    );
}

#[tokio::test]
async fn whoever_polls_health_does_not_poll_the_sources() {
    let servers = fresh().await;
    let (one, other) = tokio::join!(health(&servers, 200), health(&servers, 200));
    let third = health(&servers, 200).await;
    assert_eq!(one["sources"], other["sources"]);
    assert_eq!(one["sources"], third["sources"]);
    assert_eq!(servers.looks.load(Ordering::SeqCst), Source::ALL.len());
}

#[tokio::test]
async fn without_a_warehouse_it_is_down_and_tells_what_it_sees_of_the_sources() {
    let response = Servers::without_warehouse().await.control(Method::GET, "/health").await;
    assert_eq!(response.headers()["retry-after"], "5");
    let health = body(response, 503).await;
    assert_eq!(health["status"], "down");
    assert_eq!(health["warehouse"], json!({"reachable": false, "latencyMs": null}));
    assert_eq!(health["sources"][0]["reachable"], true);
    assert_eq!(health["jobs"], json!([]));
}
