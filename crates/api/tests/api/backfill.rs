use kindred_model::{BackfillMode, DayWindow, RunStatus};
use kindred_testkit::{at, day};
use kindred_warehouse::{Run, StepRecord, piece_detail, plan_detail};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, Servers, body, outcome, problem};

fn october() -> Value {
    json!({"job": "daily", "from": "2024-10-01", "to": "2024-10-31"})
}

/// A backfill of October that a worker has taken up.
async fn running(servers: &Servers, owner: Uuid) -> Run {
    let asked = body(servers.send("/backfill", &october()).await, 202).await;
    let run_id = servers.warehouse.next_backfill().await.unwrap().unwrap();
    assert_eq!(asked["runId"], json!(run_id));
    servers.warehouse.claim(run_id, owner, at(NOW)).await.unwrap().unwrap()
}

fn days(from: &str, to: &str) -> DayWindow {
    DayWindow::new(day(from), day(to)).unwrap()
}

fn step(name: &str, ended: bool, detail: Value) -> StepRecord {
    StepRecord {
        name: name.to_owned(),
        started_at: at(NOW),
        ended_at: ended.then(|| at(NOW)),
        rows_read: 0,
        rows_written: 0,
        detail,
    }
}

#[tokio::test]
async fn it_is_queued_for_a_worker_and_says_where_to_look() {
    let servers = Servers::start().await;
    let response = servers.send("/backfill", &october()).await;
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let run = body(response, 202).await;
    assert_eq!(location, format!("/runs/{}", run["runId"].as_str().unwrap()));
    assert_eq!(
        (&run["status"], &run["trigger"], &run["mode"], &run["dryRun"]),
        (&json!("queued"), &json!("backfill"), &json!("missing"), &json!(false))
    );
    assert_eq!(run["intervalStart"], "2024-10-01T00:00:00.000Z");
    assert_eq!(run["intervalEnd"], "2024-10-31T00:00:00.000Z");
    assert_eq!(run["progress"], Value::Null);
    assert_eq!(
        servers.warehouse.next_queued().await.unwrap(),
        None,
        "it is no run for the others' line"
    );
    let found = servers.answer(Method::GET, &location, 200).await;
    assert_eq!((&found["runId"], &found["children"]), (&run["runId"], &json!([])));
}

#[tokio::test]
async fn its_mode_and_its_dryness_are_as_asked() {
    let servers = Servers::start().await;
    let asked = json!({"job": "hourly", "from": "2024-11-17", "to": "2024-11-18", "mode": "all", "dryRun": true});
    let run = body(servers.send("/backfill", &asked).await, 202).await;
    assert_eq!(
        (&run["job"], &run["mode"], &run["dryRun"]),
        (&json!("hourly"), &json!("all"), &json!(true))
    );
    let stored = servers.warehouse.next_backfill().await.unwrap().unwrap();
    let stored = servers.warehouse.run(stored).await.unwrap().unwrap();
    assert_eq!((stored.backfill_mode, stored.dry_run), (Some(BackfillMode::All), true));
}

#[tokio::test]
async fn its_run_tells_how_far_it_has_come_piece_by_piece() {
    let servers = Servers::start().await;
    let owner = Uuid::new_v4();
    let backfill = running(&servers, owner).await;
    let (first, second) = (days("2024-10-01", "2024-10-21"), days("2024-10-21", "2024-10-31"));
    let mut children = Vec::new();
    for (piece, status) in [(first, Some(RunStatus::Completed)), (second, None)] {
        let requested = servers.warehouse.request_piece(&backfill, owner, piece, at(NOW));
        let run_id = requested.await.unwrap().unwrap();
        let worker = Uuid::new_v4();
        servers.warehouse.claim(run_id, worker, at(NOW)).await.unwrap().unwrap();
        if let Some(status) = status {
            let ended = servers.warehouse.finish(run_id, worker, at(NOW), outcome(status));
            assert!(ended.await.unwrap());
        }
        children.push(run_id);
    }
    let steps = [
        step("plan", true, plan_detail(30, 2)),
        step("first", true, piece_detail(first, Some(children[0]))),
        step("second", false, piece_detail(second, None)),
    ];
    assert!(
        servers
            .warehouse
            .record_steps(backfill.id, owner, &steps)
            .await
            .unwrap()
    );

    let told = servers
        .answer(Method::GET, &format!("/runs/{}", backfill.id), 200)
        .await;
    assert_eq!(
        told["progress"],
        json!({"days": 30, "done": 20, "next": {"from": "2024-10-21", "to": "2024-10-31"}})
    );
    let listed = told["children"].as_array().unwrap();
    let of_child = |child: &Value| {
        (
            child["runId"].clone(),
            child["status"].clone(),
            child["parentRunId"].clone(),
        )
    };
    assert_eq!(
        listed.iter().map(of_child).collect::<Vec<_>>(),
        [
            (json!(children[0]), json!("completed"), json!(backfill.id)),
            (json!(children[1]), json!("running"), json!(backfill.id)),
        ]
    );
    // What a job's last run is, its pieces say and not the whole.
    let jobs = servers.answer(Method::GET, "/jobs", 200).await;
    assert_eq!(jobs["jobs"][0]["lastRun"]["runId"], json!(children[1]));
}

#[tokio::test]
async fn cancelling_it_cancels_its_piece_and_lets_no_other_begin() {
    let servers = Servers::start().await;
    let owner = Uuid::new_v4();
    let backfill = running(&servers, owner).await;
    let piece = days("2024-10-01", "2024-10-21");
    let requested = servers.warehouse.request_piece(&backfill, owner, piece, at(NOW));
    let child = requested.await.unwrap().unwrap();
    let cancel = format!("/runs/{}/cancel", backfill.id);
    assert_eq!(servers.answer(Method::POST, &cancel, 200).await["status"], "cancelled");
    assert_eq!(
        servers.warehouse.run(child).await.unwrap().unwrap().status,
        RunStatus::Cancelled
    );
    assert!(!servers.warehouse.heartbeat(backfill.id, owner, at(NOW)).await.unwrap());
    let next = servers.warehouse.request_piece(&backfill, owner, piece, at(NOW));
    assert_eq!(next.await.unwrap(), None);
    problem(servers.control(Method::POST, &cancel).await, 409).await;
}

#[tokio::test]
async fn one_backfill_of_a_job_is_under_way_at_a_time_and_runs_beside_it_are_free() {
    let servers = Servers::start().await;
    let first = body(servers.send("/backfill", &october()).await, 202).await;
    let conflict = problem(servers.send("/backfill", &october()).await, 409).await;
    assert_eq!(conflict["runId"], first["runId"]);
    assert!(conflict["detail"].as_str().unwrap().contains("backfill"));
    let mut weekly = october();
    weekly["job"] = json!("weekly");
    body(servers.send("/backfill", &weekly).await, 202).await;
    servers.answer(Method::POST, "/trigger/daily?wait=0", 202).await;
}

#[tokio::test]
async fn a_body_that_makes_no_sense_asks_for_nothing() {
    let servers = Servers::start().await;
    let mistakes = [
        (json!({}), "`job`, `from` and `to` are needed"),
        (
            json!({"job": "daily", "from": "2024-10-01"}),
            "`job`, `from` and `to` are needed",
        ),
        (
            json!({"job": "nightly", "from": "2024-10-01", "to": "2024-10-02"}),
            "`nightly` is no job",
        ),
        (
            json!({"job": "daily", "from": "2024-10-02", "to": "2024-10-02"}),
            "holds no day",
        ),
        (
            json!({"job": "daily", "from": "2024-11-17", "to": "2024-11-19"}),
            "2024-11-18 lies in the future",
        ),
        (
            json!({"job": "daily", "from": "0001-01-01", "to": "2024-11-17"}),
            "more than 3660 days",
        ),
        (
            json!({"job": "daily", "from": "soon", "to": "2024-11-17"}),
            "`soon` is no date",
        ),
        (
            json!({"job": "daily", "from": 20241101, "to": "2024-11-17"}),
            "invalid type",
        ),
        (
            json!({"job": "daily", "from": "2024-10-01", "to": "2024-10-02", "mode": "some"}),
            "`some` is no backfill mode",
        ),
        (
            json!({"job": "daily", "from": "2024-10-01", "to": "2024-10-02", "dryRun": "yes"}),
            "dryRun",
        ),
        (
            json!({"job": "daily", "from": "2024-10-01", "to": "2024-10-02", "days": 3}),
            "unknown field `days`",
        ),
        (json!("daily"), "invalid type"),
    ];
    for (asked, detail) in mistakes {
        let problem = problem(servers.send("/backfill", &asked).await, 400).await;
        let told = problem["detail"].as_str().unwrap();
        assert!(told.contains(detail), "{asked}: {told}");
    }
    let post = |kind: &'static str, text: &'static str| {
        let request = servers.client().post(servers.control_url("/backfill"));
        request.header("content-type", kind).body(text).send()
    };
    problem(post("application/json", "{").await.unwrap(), 400).await;
    problem(post("text/plain", "{}").await.unwrap(), 415).await;
    problem(servers.control(Method::POST, "/backfill").await, 415).await;
    assert_eq!(servers.warehouse.next_backfill().await.unwrap(), None);
}
