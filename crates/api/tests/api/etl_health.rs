use chrono::TimeDelta;
use kindred_model::{DayWindow, Job, RunStatus, Trigger};
use kindred_testkit::{at, day};
use kindred_warehouse::{RunOutcome, RunRequest};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, Servers};

async fn health(servers: &Servers, status: u16) -> Value {
    let response = servers.control(Method::GET, "/health").await;
    assert_eq!(response.status().as_u16(), status);
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// A run of the daily job that ended so.
async fn ended(servers: &Servers, status: RunStatus) -> Uuid {
    let window = DayWindow::day(day("2024-11-16"));
    let request = RunRequest {
        job: Job::Daily,
        interval: window.into(),
        trigger: Trigger::Schedule,
        dry_run: false,
        at: at(NOW),
    };
    let run_id = servers.warehouse.request(&request).await.unwrap();
    let owner = Uuid::new_v4();
    servers.warehouse.claim(run_id, owner, at(NOW)).await.unwrap().unwrap();
    let outcome = RunOutcome {
        status,
        records_read: 0,
        records_processed: 0,
        error_message: None,
        checks: json!([]),
        steps: Vec::new(),
        transient: false,
    };
    assert!(servers.warehouse.finish(run_id, owner, at(NOW), outcome).await.unwrap());
    run_id
}

#[tokio::test]
async fn a_warehouse_that_was_never_filled_is_degraded() {
    let health = health(&Servers::start().await, 200).await;
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["warehouse"]["reachable"], true);
    assert!(health["warehouse"]["latencyMs"].as_f64().unwrap() > 0.0);
    assert_eq!(
        health["jobs"],
        json!([{"job": "daily", "lastRun": null, "nextTick": null}])
    );
    assert_eq!(
        health["sources"][3],
        json!({
            "source": "moderation", "required": false, "lastExtraction": null, "lastRowAt": null, "datasets": 0,
        })
    );
}

#[tokio::test]
async fn sources_read_lately_and_a_completed_run_are_ok() {
    let servers = Servers::start().await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    servers
        .execute("insert into job_ticks values ('daily', null, '2024-11-18 01:00+00', false)")
        .await;
    let run_id = ended(&servers, RunStatus::Completed).await;
    let health = health(&servers, 200).await;
    assert_eq!(health["status"], "ok");
    assert_eq!(
        health["sources"][0],
        json!({
            "source": "users", "required": true, "lastExtraction": "2024-11-17T14:05:00.000Z",
            "lastRowAt": "2024-11-17T14:04:00.000Z", "datasets": 1,
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
async fn a_job_that_failed_last_is_degraded() {
    let servers = Servers::start().await;
    servers.extracted_to(at("2024-11-17T14:05:00Z")).await;
    ended(&servers, RunStatus::Completed).await;
    servers.clock.set(at(NOW) + TimeDelta::minutes(1));
    ended(&servers, RunStatus::Failed).await;
    assert_eq!(health(&servers, 200).await["status"], "degraded");
}

#[tokio::test]
async fn without_a_warehouse_it_is_down() {
    let health = health(&Servers::without_warehouse().await, 503).await;
    assert_eq!(health["status"], "down");
    assert_eq!(health["warehouse"], json!({"reachable": false, "latencyMs": null}));
}
