use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{Job, RunStatus};
use kindred_testkit::at;
use kindred_warehouse::Warehouse;
use reqwest::{Method, Response};
use serde_json::json;
use uuid::Uuid;

use crate::support::{NOW, Servers, body, outcome, problem};

async fn trigger(servers: &Servers, query: &str) -> Response {
    servers.control(Method::POST, &format!("/trigger/daily{query}")).await
}

/// Takes the next queued run up and ends it so, two seconds later by its clock.
async fn work(warehouse: Warehouse, status: RunStatus) {
    let run_id = loop {
        match warehouse.next_queued().await.unwrap() {
            Some(run_id) => break run_id,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let (owner, ended) = (Uuid::new_v4(), at(NOW) + TimeDelta::seconds(2));
    warehouse.claim(run_id, owner, at(NOW)).await.unwrap().unwrap();
    assert!(warehouse.finish(run_id, owner, ended, outcome(status)).await.unwrap());
}

#[tokio::test]
async fn it_waits_and_answers_the_finished_run() {
    let servers = Servers::start().await;
    let worker = tokio::spawn(work(servers.warehouse.clone(), RunStatus::Completed));
    let run = body(trigger(&servers, "").await, 200).await;
    worker.await.unwrap();
    let id: Uuid = run["runId"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        run,
        json!({
            "runId": id, "job": "daily", "status": "completed", "trigger": "manual", "attempt": 1, "dryRun": false,
            "intervalStart": "2024-11-16T00:00:00.000Z", "intervalEnd": "2024-11-18T00:00:00.000Z",
            "requestedAt": NOW, "startTime": NOW, "heartbeatAt": NOW, "retryAt": null, "parentRunId": null, "mode": null,
            "progress": null, "endTime": "2024-11-17T14:35:09.250Z", "executionTimeMs": 2000,
            "recordsRead": 120, "recordsProcessed": 9, "errorMessage": null,
            "dataQualityChecks": [{"check": "lifecycle_sum", "passed": true}], "steps": [],
        }),
        "yesterday and today so far"
    );
}

#[tokio::test]
async fn a_run_that_failed_is_an_answer_too() {
    let servers = Servers::start().await;
    let worker = tokio::spawn(work(servers.warehouse.clone(), RunStatus::Failed));
    let run = body(trigger(&servers, "?date=2024-11-10").await, 200).await;
    worker.await.unwrap();
    assert_eq!(
        (&run["status"], &run["errorMessage"]),
        (&json!("failed"), &json!("the users database is down"))
    );
    assert_eq!(run["intervalStart"], "2024-11-10T00:00:00.000Z");
    assert_eq!(run["intervalEnd"], "2024-11-11T00:00:00.000Z");
}

#[tokio::test]
async fn it_answers_202_when_the_run_takes_longer_and_409_while_it_does() {
    let servers = Servers::start().await;
    let began = std::time::Instant::now();
    let run = body(
        trigger(&servers, "?from=2024-11-01&to=2024-11-08&wait=1&dryRun=true").await,
        202,
    )
    .await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!((&run["status"], &run["dryRun"]), (&json!("queued"), &json!(true)));
    assert_eq!(run["intervalEnd"], "2024-11-08T00:00:00.000Z");

    let conflict = problem(trigger(&servers, "?wait=0").await, 409).await;
    assert_eq!(conflict["runId"], run["runId"]);

    work(servers.warehouse.clone(), RunStatus::Completed).await;
    let next = body(trigger(&servers, "?wait=0").await, 202).await;
    assert_ne!(next["runId"], run["runId"]);
}

#[tokio::test]
async fn a_dead_run_does_not_stand_in_the_way() {
    let servers = Servers::start().await;
    let queued = body(trigger(&servers, "?wait=0").await, 202).await;
    let dead: Uuid = queued["runId"].as_str().unwrap().parse().unwrap();
    servers
        .warehouse
        .claim(dead, Uuid::new_v4(), at(NOW))
        .await
        .unwrap()
        .unwrap();
    servers.clock.set(at(NOW) + TimeDelta::minutes(10));
    body(trigger(&servers, "?wait=0").await, 202).await;
    assert_eq!(
        servers.warehouse.run(dead).await.unwrap().unwrap().status,
        RunStatus::Failed
    );
}

#[tokio::test]
async fn a_window_that_makes_no_sense_asks_for_no_run() {
    let servers = Servers::start().await;
    let mistakes = [
        ("?date=2024-11-18", "in the future"),
        ("?from=2024-11-10&to=2024-11-19", "2024-11-18 lies in the future"),
        ("?from=2024-11-10&to=2024-11-10", "holds no day"),
        ("?from=2024-11-12&to=2024-11-10", "holds no day"),
        ("?from=2010-11-10&to=2024-11-10", "more than 3660 days"),
        ("?from=2024-11-10", "come together"),
        ("?date=2024-11-10&to=2024-11-11", "either"),
        ("?date=yesterday", "`yesterday` is no date"),
        ("?wait=301", "at most 300"),
        ("?wait=-1", "wait"),
        ("?dryRun=maybe", "dryRun"),
        ("?day=2024-11-10", "unknown field `day`"),
    ];
    for (query, detail) in mistakes {
        let problem = problem(trigger(&servers, query).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{query}: {told}");
    }
    let unknown = problem(servers.control(Method::POST, "/trigger/nightly").await, 404).await;
    let told = unknown["detail"].as_str().unwrap();
    assert!(told.starts_with("`nightly` is no job; expected one of daily"), "{told}");
    assert_eq!(servers.warehouse.latest_run(Job::Daily).await.unwrap(), None);
}

#[tokio::test]
async fn each_job_covers_what_was_closed_last_and_what_goes_on_or_the_days_it_is_asked_for() {
    let servers = Servers::start().await;
    let windows = [
        ("daily", "2024-11-16T00:00:00.000Z", "2024-11-18T00:00:00.000Z"),
        ("hourly", "2024-11-17T13:00:00.000Z", "2024-11-17T15:00:00.000Z"),
        ("sessions", "2024-11-17T13:00:00.000Z", "2024-11-17T15:00:00.000Z"),
        ("weekly", "2024-11-04T00:00:00.000Z", "2024-11-18T00:00:00.000Z"),
        ("retention", "2024-11-04T00:00:00.000Z", "2024-11-18T00:00:00.000Z"),
        (
            "hourly?date=2024-11-10",
            "2024-11-10T00:00:00.000Z",
            "2024-11-11T00:00:00.000Z",
        ),
        (
            "weekly?date=2024-11-17",
            "2024-11-04T00:00:00.000Z",
            "2024-11-11T00:00:00.000Z",
        ),
        (
            "retention?date=2024-11-11",
            "2024-11-04T00:00:00.000Z",
            "2024-11-11T00:00:00.000Z",
        ),
        (
            "sessions?from=2024-11-10&to=2024-11-18",
            "2024-11-10T00:00:00.000Z",
            "2024-11-18T00:00:00.000Z",
        ),
    ];
    for (asked, start, end) in windows {
        let wait = if asked.contains('?') { "&wait=0" } else { "?wait=0" };
        let run = servers
            .answer(Method::POST, &format!("/trigger/{asked}{wait}"), 202)
            .await;
        assert_eq!(
            (&run["intervalStart"], &run["intervalEnd"]),
            (&json!(start), &json!(end)),
            "{asked}"
        );
        assert_eq!(
            run["job"],
            if asked.starts_with("retention") {
                "weekly"
            } else {
                asked.split('?').next().unwrap()
            }
        );
        work(servers.warehouse.clone(), RunStatus::Completed).await;
    }
}

#[tokio::test]
async fn runs_of_other_jobs_wait_in_line_and_do_not_conflict() {
    let servers = Servers::start().await;
    body(trigger(&servers, "?wait=0").await, 202).await;
    let hourly = servers.answer(Method::POST, "/trigger/hourly?wait=0", 202).await;
    assert_eq!(hourly["status"], "queued");
    let conflict = servers.control(Method::POST, "/trigger/hourly?wait=0").await;
    assert_eq!(problem(conflict, 409).await["runId"], hourly["runId"]);
}
