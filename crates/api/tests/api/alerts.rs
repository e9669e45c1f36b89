use kindred_testkit::at;
use kindred_warehouse::{AlertType, CheckKey, Outcome, Severity, Verdict};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{NOW, Servers, problem};

async fn raise(servers: &Servers, table: &str, severity: Severity) -> Uuid {
    let verdicts = [Verdict {
        key: CheckKey {
            alert_type: AlertType::DataDrop,
            table: table.to_owned(),
            column: Some("total_sessions".to_owned()),
            check: "same_weekday".to_owned(),
            dimension: None,
        },
        bucket: "2024-11-16".to_owned(),
        outcome: Outcome::Violated {
            severity,
            message: "total_sessions is 120; of the 8 such days before, the median is 480".to_owned(),
            threshold: Some(480.0),
            actual: Some(120.0),
            details: json!({ "z": -6.1 }),
        },
    }];
    let recorded = servers.warehouse.record_verdicts(Uuid::nil(), at(NOW), &verdicts);
    recorded.await.unwrap()[0].id
}

async fn tables(servers: &Servers, query: &str) -> Vec<Value> {
    let answer = servers.answer(Method::GET, &format!("/alerts{query}"), 200).await;
    let alerts = answer["alerts"].as_array().unwrap().iter();
    alerts.map(|alert| alert["tableName"].clone()).collect()
}

#[tokio::test]
async fn an_alert_says_what_is_wrong_with_what_and_since_when() {
    let servers = Servers::start().await;
    assert!(tables(&servers, "").await.is_empty());
    let id = raise(&servers, "daily_kpi_summaries", Severity::High).await;
    let answer = servers.answer(Method::GET, "/alerts", 200).await;
    assert_eq!(
        answer,
        json!({ "alerts": [{
            "id": id, "alertType": "data_drop", "tableName": "daily_kpi_summaries", "columnName": "total_sessions",
            "checkName": "same_weekday", "dimension": null,
            "alertMessage": "total_sessions is 120; of the 8 such days before, the median is 480",
            "severity": "high", "threshold": 480.0, "actualValue": 120.0,
            "details": { "z": -6.1, "bucket": "2024-11-16" }, "occurrences": 1, "createdAt": NOW, "lastSeenAt": NOW,
            "isResolved": false, "resolvedAt": null, "resolvedBy": null, "runId": Uuid::nil(),
        }] })
    );
}

#[tokio::test]
async fn alerts_are_chosen_by_table_severity_and_whether_they_are_resolved() {
    let servers = Servers::start().await;
    let id = raise(&servers, "daily_kpi_summaries", Severity::High).await;
    raise(&servers, "hourly_metrics", Severity::Low).await;
    servers
        .answer(Method::POST, &format!("/alerts/{id}/resolve"), 200)
        .await;
    assert_eq!(tables(&servers, "").await.len(), 2);
    assert_eq!(tables(&servers, "?resolved=false").await, ["hourly_metrics"]);
    assert_eq!(
        tables(&servers, "?resolved=true&severity=high").await,
        ["daily_kpi_summaries"]
    );
    assert_eq!(tables(&servers, "?severity=critical").await, [] as [&str; 0]);
    assert_eq!(tables(&servers, "?table=hourly_metrics").await, ["hourly_metrics"]);
    for wrong in ["?resolved=maybe", "?severity=bad", "?table=%00", "?tables=a"] {
        problem(servers.control(Method::GET, &format!("/alerts{wrong}")).await, 400).await;
    }
}

#[tokio::test]
async fn a_person_resolves_an_alert_once() {
    let servers = Servers::start().await;
    let id = raise(&servers, "daily_kpi_summaries", Severity::High).await;
    let path = format!("/alerts/{id}/resolve");
    let resolved = servers.answer(Method::POST, &path, 200).await;
    assert_eq!(
        (&resolved["isResolved"], &resolved["resolvedAt"]),
        (&json!(true), &json!(NOW))
    );
    assert_eq!(resolved["resolvedBy"], "somebody on this machine");
    assert_eq!(servers.answer(Method::POST, &path, 200).await, resolved);
    for unknown in ["0190b5a0-0000-7000-8000-000000000001", "nothing"] {
        problem(
            servers
                .control(Method::POST, &format!("/alerts/{unknown}/resolve"))
                .await,
            404,
        )
        .await;
    }
}
