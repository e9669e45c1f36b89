use kindred_model::{Job, RunStatus};
use kindred_testkit::at;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, Servers, outcome, problem};

fn path(run_id: Uuid) -> String {
    format!("/runs/{run_id}/cancel")
}

#[tokio::test]
async fn a_queued_run_is_cancelled_at_once_and_its_place_is_free() {
    let servers = Servers::start().await;
    let queued = servers.queued(Job::Daily, "2024-11-16", "2024-11-17").await;
    let run = servers.answer(Method::POST, &path(queued), 200).await;
    assert_eq!((&run["runId"], &run["status"]), (&json!(queued), &json!("cancelled")));
    assert_eq!((&run["endTime"], &run["startTime"]), (&json!(NOW), &Value::Null));
    assert_eq!(servers.warehouse.next_queued().await.unwrap(), None);
    servers.queued(Job::Daily, "2024-11-16", "2024-11-17").await;
}

#[tokio::test]
async fn a_running_run_loses_its_lease() {
    let servers = Servers::start().await;
    let run_id = servers.queued(Job::Hourly, "2024-11-16", "2024-11-17").await;
    let owner = Uuid::new_v4();
    servers.warehouse.claim(run_id, owner, at(NOW)).await.unwrap().unwrap();
    let run = servers.answer(Method::POST, &path(run_id), 200).await;
    assert_eq!((&run["status"], &run["retryAt"]), (&json!("cancelled"), &Value::Null));
    assert_eq!(run["errorMessage"], "it was cancelled on request");
    assert!(!servers.warehouse.heartbeat(run_id, owner, at(NOW)).await.unwrap());
    let late = servers
        .warehouse
        .finish(run_id, owner, at(NOW), outcome(RunStatus::Completed));
    assert!(!late.await.unwrap(), "its owner cannot end it any more");
}

#[tokio::test]
async fn a_run_that_is_over_cannot_be_cancelled() {
    let servers = Servers::start().await;
    let done = servers.ended(Job::Daily, RunStatus::Completed).await;
    let conflict = problem(servers.control(Method::POST, &path(done)).await, 409).await;
    assert_eq!(
        (&conflict["runId"], &conflict["detail"]),
        (&json!(done), &json!("the run is over: it ended completed"))
    );
    assert_eq!(
        servers.warehouse.run(done).await.unwrap().unwrap().status,
        RunStatus::Completed
    );
    for unknown in ["0190b5a0-0000-7000-8000-000000000001", "nothing"] {
        let path = format!("/runs/{unknown}/cancel");
        problem(servers.control(Method::POST, &path).await, 404).await;
    }
}
