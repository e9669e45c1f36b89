use kindred_model::{Job, RunStatus};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Servers, problem};

async fn job(servers: &Servers, n: usize) -> Value {
    servers.answer(Method::GET, "/jobs", 200).await["jobs"][n].clone()
}

#[tokio::test]
async fn every_job_is_listed_even_before_anything_was_run() {
    let servers = Servers::start().await;
    let jobs = servers.answer(Method::GET, "/jobs", 200).await;
    let jobs = jobs["jobs"].as_array().unwrap();
    let names: Vec<_> = jobs.iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(names, ["daily", "hourly", "weekly", "sessions"]);
    let daily = &jobs[0];
    assert_eq!(
        (&daily["schedule"], &daily["paused"]),
        (&json!("0 1 * * *"), &json!(false))
    );
    for absent in ["lastTick", "nextTick", "lastRun"] {
        assert_eq!(daily[absent], Value::Null, "{absent}");
    }
    assert_eq!(daily["freshness"]["asOf"], Value::Null);
    assert_eq!(daily["freshness"]["ageSeconds"], Value::Null);
    assert_eq!(jobs[1]["schedule"], Value::Null, "this process does not start it");
}

#[tokio::test]
async fn a_job_is_as_fresh_as_the_oldest_required_fact_that_it_reads() {
    let servers = Servers::start().await;
    servers
        .execute(
            "insert into source_watermarks
             select source, fact, extracted_to::timestamptz, null, 5, 'fingerprint', gen_random_uuid()
             from (values
                 ('users', 'users', '2024-11-17 14:30:07+00'),
                 ('users', 'user_sessions', '2024-11-17 14:30:07+00'),
                 ('users', 'subscriptions', '2024-11-17 14:30:07+00'),
                 ('users', 'payments', '2024-11-17 14:20:07+00'),
                 ('interactions', 'matches', '2024-11-17 14:30:07+00'),
                 ('moderation', 'reports', '2024-01-01 00:00+00')) as mark(source, fact, extracted_to)",
        )
        .await;
    let weekly = job(&servers, 2).await;
    assert_eq!(weekly["freshness"]["asOf"], "2024-11-17T14:20:07.000Z");
    assert_eq!(weekly["freshness"]["ageSeconds"], 900);
    let facts = weekly["freshness"]["facts"].as_array().unwrap();
    assert!(facts.contains(&json!({"fact": "payments", "source": "users", "asOf": "2024-11-17T14:20:07.000Z"})));
    assert_eq!(
        job(&servers, 0).await["freshness"]["asOf"],
        Value::Null,
        "swipes were never read"
    );
}

#[tokio::test]
async fn a_paused_job_has_no_next_tick_until_it_is_resumed() {
    let servers = Servers::start().await;
    servers
        .execute(
            "insert into job_ticks (job_name, last_tick, next_tick)
             values ('daily', '2024-11-17 01:00+00', '2024-11-18 01:00+00')",
        )
        .await;
    assert_eq!(job(&servers, 0).await["nextTick"], "2024-11-18T01:00:00.000Z");
    for _ in 0..2 {
        let paused = servers.answer(Method::POST, "/jobs/daily/pause", 200).await;
        assert_eq!((&paused["job"], &paused["paused"]), (&json!("daily"), &json!(true)));
        assert_eq!(paused["nextTick"], Value::Null);
    }
    assert!(servers.warehouse.job_states().await.unwrap()[&Job::Daily].paused);
    let health = servers.answer(Method::GET, "/health", 200).await;
    assert_eq!(health["jobs"][0]["nextTick"], Value::Null);
    assert_eq!(job(&servers, 1).await["paused"], false, "the others go on");

    let resumed = servers.answer(Method::POST, "/jobs/daily/resume", 200).await;
    assert_eq!(
        (&resumed["paused"], &resumed["lastTick"]),
        (&json!(false), &json!("2024-11-17T01:00:00.000Z"))
    );
    assert_eq!(resumed["nextTick"], "2024-11-18T01:00:00.000Z");
    let unseen = servers.answer(Method::POST, "/jobs/retention/pause", 200).await;
    assert_eq!((&unseen["job"], &unseen["paused"]), (&json!("weekly"), &json!(true)));
}

#[tokio::test]
async fn the_last_run_is_the_last_that_was_not_skipped() {
    let servers = Servers::start().await;
    let done = servers.ended(Job::Sessions, RunStatus::Completed).await;
    servers.clock.set(servers.clock.now() + chrono::TimeDelta::minutes(1));
    servers.ended(Job::Sessions, RunStatus::Skipped).await;
    assert_eq!(job(&servers, 3).await["lastRun"]["runId"], json!(done));
}

#[tokio::test]
async fn a_job_that_there_is_not_cannot_be_paused() {
    let servers = Servers::start().await;
    let unknown = problem(servers.control(Method::POST, "/jobs/nightly/pause").await, 404).await;
    assert!(unknown["detail"].as_str().unwrap().starts_with("`nightly` is no job"));
    assert!(servers.warehouse.job_states().await.unwrap().is_empty());
}
