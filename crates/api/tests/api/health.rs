use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::Servers;

#[tokio::test]
async fn the_process_is_alive_without_a_warehouse() {
    let answer = Servers::without_warehouse().await.get("/health").await;
    assert_eq!(answer, json!({"status": "ok"}));
}

#[tokio::test]
async fn it_is_ready_once_the_warehouse_is_migrated() {
    let servers = Servers::unmigrated().await;
    assert_eq!(
        servers.kpi(Method::GET, "/ready").await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    servers.warehouse.migrate().await.unwrap();
    let answer: Value = servers.get("/ready").await;
    assert_eq!(answer, json!({"status": "ready"}));
}
