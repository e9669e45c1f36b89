//! What the checks of a run find becomes an alert; figures that contradict each other are not published.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use kindred_engine::QueryLibrary;
use kindred_jobs::{JobError, Webhook};
use kindred_model::RunStatus;
use kindred_warehouse::{Alert, AlertFilter, AlertType, Run, Severity};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{TOMORROW, YESTERDAY, empty_world};
use crate::support::World;

/// The day after [`YESTERDAY`].
const TODAY: &str = "2026-03-15";

/// A query that answers one session too many for each reason of its end.
const WRONG: &str = "sessions/session_exits_daily";

async fn alerts(world: &World) -> Vec<Alert> {
    world.platform.warehouse.alerts(&AlertFilter::default()).await.unwrap()
}

async fn of_type(world: &World, alert_type: AlertType) -> Vec<Alert> {
    let mut alerts = alerts(world).await;
    alerts.retain(|alert| alert.key.alert_type == alert_type);
    alerts
}

async fn run(world: &World) -> Run {
    world.wait(5);
    let run = world.run(YESTERDAY, TOMORROW).await;
    run.unwrap_or_else(|error| panic!("{error}"))
}

async fn rows(world: &World, table: &str) -> i64 {
    let count = world.ask(&format!("select count(*)::text from {table}")).await;
    count.unwrap().parse().unwrap()
}

/// The library with the wrong query in the place of its right one.
fn wrong_library(folder: &Path) -> QueryLibrary {
    let right = QueryLibrary::embedded().unwrap();
    let sql = right.get(WRONG).unwrap().sql.clone();
    let header: Vec<_> = sql.lines().take_while(|line| line.starts_with("--")).collect();
    let body: Vec<_> = sql.lines().skip(header.len()).collect();
    let sql = format!(
        "{}\nselect date, exit_reason, sessions + 1 as sessions from (\n{}\n)",
        header.join("\n"),
        body.join("\n")
    );
    let file = folder.join(format!("{WRONG}.sql"));
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, sql).unwrap();
    QueryLibrary::with_overrides(folder).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_that_contradict_each_other_are_withheld_and_the_others_are_published() {
    let mut world = empty_world().await;
    let folder = tempfile::tempdir().unwrap();
    Arc::get_mut(&mut world.platform).unwrap().queries = wrong_library(folder.path());
    let partial = run(&world).await;
    assert_eq!(partial.status, RunStatus::Partial);
    let message = partial.error_message.unwrap();
    assert!(
        message.contains("daily_kpi_summaries") && message.contains("exits add up to sessions"),
        "{message}"
    );
    assert_eq!(rows(&world, "daily_kpi_summaries").await, 0);
    assert_eq!(rows(&world, "session_exits_daily").await, 0);
    assert!(rows(&world, "revenue_metrics").await > 0);
    world.assert_sound().await;
    let found = of_type(&world, AlertType::Contradiction).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].severity, found[0].key.check.as_str()),
        (Severity::Critical, "daily_identities")
    );
    assert_eq!(found[0].run_id, Some(partial.id));

    Arc::get_mut(&mut world.platform).unwrap().queries = QueryLibrary::embedded().unwrap();
    // The next night asks for its own day; the one that was withheld is computed with it.
    world.wait(5);
    let next = world.run(TODAY, TOMORROW).await.unwrap();
    assert_eq!(next.status, RunStatus::Completed);
    assert_eq!(rows(&world, "daily_kpi_summaries").await, 2);
    world.assert_sound().await;
    world.assert_equals(&world.clean(YESTERDAY, TOMORROW).await).await;
    assert_eq!(rows(&world, "pending_changes where consumer = 'withheld'").await, 0);
    assert!(!of_type(&world, AlertType::Contradiction).await[0].is_resolved);
    run(&world).await;
    assert!(
        of_type(&world, AlertType::Contradiction).await[0].is_resolved,
        "it held twice in a row"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changed_its_columns_is_an_alert_until_it_has_them_again() {
    let world = empty_world().await;
    world
        .change("alter table user_sessions rename column platform to device")
        .await;
    let error = world.run(YESTERDAY, TOMORROW).await.unwrap_err();
    assert!(matches!(error, JobError::Extract(_)), "{error}");
    let found = of_type(&world, AlertType::SchemaChange).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].key.table.as_str(), found[0].severity),
        ("user_sessions", Severity::Critical)
    );
    assert!(found[0].message.contains("platform"), "{}", found[0].message);

    world
        .change("alter table user_sessions rename column device to platform")
        .await;
    run(&world).await;
    run(&world).await;
    assert!(of_type(&world, AlertType::SchemaChange).await[0].is_resolved);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_optional_source_that_changed_its_columns_is_an_alert_of_a_partial_run() {
    let world = empty_world().await;
    world.change("alter table reports rename column category to kind").await;
    assert_eq!(run(&world).await.status, RunStatus::Partial);
    let found = of_type(&world, AlertType::SchemaChange).await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].key.table.as_str(), found[0].severity),
        ("reports", Severity::High)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_unlike_its_weekdays_before_and_rows_that_cannot_be_used_are_alerts() {
    let world = empty_world().await;
    // Of each weekday, six are the least that a check goes by.
    world.backfill("2026-01-24", TOMORROW).await.unwrap();
    world
        .change(
            "insert into swipes (id, user_id, target_user_id, action, created_at)
             select gen_random_uuid(), pair.swiper, pair.target, 'like', timestamptz '2026-03-14 12:00Z'
             from (select min(id::text)::uuid as swiper, max(id::text)::uuid as target from users where not is_internal) pair,
                  generate_series(1, 5000);
             update user_sessions set ended_at = started_at - interval '1 minute', updated_at = '2026-03-15T10:35:00Z'
             where id = (select id from user_sessions where (started_at at time zone 'UTC')::date = date '2026-03-14' order by id limit 1)",
        )
        .await;
    let judged = run(&world).await;
    assert_eq!(judged.status, RunStatus::Completed);
    let found = alerts(&world).await;
    let find = |table: &str, column: Option<&str>| {
        let mut of_column = found
            .iter()
            .filter(|alert| alert.key.table == table && alert.key.column.as_deref() == column);
        let alert = of_column.next();
        alert
            .unwrap_or_else(|| panic!("{table} {column:?} is not among {found:#?}"))
            .clone()
    };
    let likes = find("daily_kpi_summaries", Some("total_likes"));
    assert_eq!(
        (likes.key.alert_type, likes.severity),
        (AlertType::DataSpike, Severity::Critical)
    );
    assert!(
        likes.actual.unwrap() >= 5_000.0 && likes.threshold.unwrap() < 1_000.0,
        "{likes:?}"
    );
    assert_eq!(likes.details["bucket"], YESTERDAY);
    assert_eq!(find("swipes", None).key.alert_type, AlertType::DataSpike);
    assert_eq!(
        find("user_sessions", Some("ended_at")).key.alert_type,
        AlertType::UnusableRows
    );

    let checks = &judged.data_quality_checks;
    let violated = checks["series"]["violated"].as_array().unwrap();
    assert!(
        violated.iter().any(|check| check["column"] == "total_likes"),
        "{checks}"
    );
    assert_eq!(checks["identities"]["violated"], serde_json::json!([]));
    assert!(checks["identities"]["passed"].as_u64().unwrap() >= 3, "{checks}");
}

/// A server that refuses its first request, and keeps the bodies of all.
async fn receiver() -> (String, Arc<Mutex<Vec<Value>>>) {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let take = async |State(bodies): State<Arc<Mutex<Vec<Value>>>>, Json(body): Json<Value>| {
        let mut bodies = bodies.lock().unwrap();
        bodies.push(body);
        match bodies.len() {
            1 => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::NO_CONTENT,
        }
    };
    let app = Router::new().route("/hook", post(take)).with_state(Arc::clone(&bodies));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, bodies)
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_told_once_and_told_again_when_nobody_took_them() {
    let mut world = empty_world().await;
    let (address, bodies) = receiver().await;
    let webhook = Webhook::new(SecretString::from(address)).unwrap();
    Arc::get_mut(&mut world.platform).unwrap().webhook = Some(webhook);
    let fail = async || {
        world
            .change("alter table user_sessions rename column platform to device")
            .await;
        world.wait(5);
        world.run(YESTERDAY, TOMORROW).await.unwrap_err();
        world
            .change("alter table user_sessions rename column device to platform")
            .await;
    };
    let told = || {
        let bodies = bodies.lock().unwrap();
        let alerts = bodies
            .iter()
            .flat_map(|body| body["alerts"].as_array().unwrap().clone());
        let changes = alerts.filter(|alert| alert["alertType"] == "schema_change");
        changes.collect::<Vec<_>>()
    };
    fail().await;
    assert_eq!(told().len(), 2, "the first request was refused");
    let alert = &told()[1];
    assert_eq!(alert["tableName"], "user_sessions");
    assert_eq!(alert["severity"], "critical");
    assert!(alert["message"].as_str().unwrap().contains("platform"), "{alert}");

    // It is raised again, then resolves and is raised anew: that is no news within some hours.
    fail().await;
    run(&world).await;
    run(&world).await;
    fail().await;
    assert_eq!(of_type(&world, AlertType::SchemaChange).await.len(), 2);
    assert_eq!(told().len(), 2);
}
