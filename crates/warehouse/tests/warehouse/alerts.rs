//! What checks say becomes alerts, and stops being one.

use kindred_warehouse::{Alert, AlertFilter, AlertType, CheckKey, Outcome, Severity, Verdict};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Database, at};

const NOW: &str = "2026-03-10T01:00:00Z";
const LATER: &str = "2026-03-11T01:00:00Z";

fn key(alert_type: AlertType, column: Option<&str>) -> CheckKey {
    CheckKey {
        alert_type,
        table: "daily_kpi_summaries".to_owned(),
        column: column.map(str::to_owned),
        check: "same_weekday".to_owned(),
        dimension: None,
    }
}

fn violated(bucket: &str, severity: Severity) -> Verdict {
    Verdict {
        key: key(AlertType::DataDrop, Some("total_sessions")),
        bucket: bucket.to_owned(),
        outcome: Outcome::Violated {
            severity,
            message: format!("few sessions on {bucket}"),
            threshold: Some(480.0),
            actual: Some(120.5),
            details: json!({ "z": -6.1 }),
        },
    }
}

fn passed(bucket: &str) -> Verdict {
    Verdict {
        outcome: Outcome::Passed,
        ..violated(bucket, Severity::Low)
    }
}

async fn record(database: &Database, now: &str, verdicts: &[Verdict]) -> Vec<Alert> {
    let recorded = database.warehouse.record_verdicts(Uuid::new_v4(), at(now), verdicts);
    recorded.await.unwrap()
}

async fn all(database: &Database) -> Vec<Alert> {
    database.warehouse.alerts(&AlertFilter::default()).await.unwrap()
}

#[tokio::test]
async fn a_violation_is_one_alert_however_often_it_is_found_and_news_only_when_it_is_worse() {
    let database = Database::migrated().await;
    let news = record(&database, NOW, &[violated("2026-03-08", Severity::Medium)]).await;
    assert_eq!(news.len(), 1);
    let raised = &news[0];
    assert_eq!(
        (raised.threshold, raised.actual, raised.occurrences),
        (Some(480.0), Some(120.5), 1)
    );
    assert_eq!(raised.details, json!({ "z": -6.1, "bucket": "2026-03-08" }));

    assert!(
        record(&database, LATER, &[violated("2026-03-09", Severity::Medium)])
            .await
            .is_empty()
    );
    let worse = record(&database, LATER, &[violated("2026-03-09", Severity::Critical)]).await;
    assert_eq!(worse.len(), 1);
    let stored = all(&database).await;
    assert_eq!(stored, worse, "there is one");
    assert_eq!((stored[0].id, stored[0].occurrences), (raised.id, 3));
    assert_eq!((stored[0].created_at, stored[0].last_seen_at), (at(NOW), at(LATER)));
    assert_eq!(stored[0].message, "few sessions on 2026-03-09");
}

#[tokio::test]
async fn it_resolves_by_itself_after_two_buckets_in_a_row_and_is_raised_anew_afterwards() {
    let database = Database::migrated().await;
    record(&database, NOW, &[violated("2026-03-08", Severity::High)]).await;
    record(&database, NOW, &[passed("2026-03-07"), passed("2026-03-09")]).await;
    record(&database, NOW, &[passed("2026-03-09")]).await;
    assert!(
        !all(&database).await[0].is_resolved,
        "an older bucket and the same one again are no second one"
    );
    record(
        &database,
        NOW,
        &[violated("2026-03-10", Severity::High), passed("2026-03-11")],
    )
    .await;
    assert!(!all(&database).await[0].is_resolved, "they were not in a row");
    record(&database, LATER, &[passed("2026-03-12")]).await;
    let stored = all(&database).await;
    assert_eq!((stored.len(), stored[0].is_resolved), (1, true));
    assert_eq!(stored[0].resolved_by.as_deref(), Some("check"));
    assert_eq!(stored[0].resolved_at, Some(at(LATER)));

    let both = [passed("2026-03-12"), violated("2026-03-13", Severity::Low)];
    assert_eq!(record(&database, LATER, &both).await.len(), 1);
    let open = AlertFilter {
        resolved: Some(false),
        ..AlertFilter::default()
    };
    assert_eq!(database.warehouse.alerts(&open).await.unwrap().len(), 1);
    assert_eq!(all(&database).await.len(), 2);
}

#[tokio::test]
async fn missing_data_resolves_as_soon_as_it_is_there_and_too_little_history_says_nothing() {
    let database = Database::migrated().await;
    let missing = |outcome: Outcome| Verdict {
        key: key(AlertType::MissingData, None),
        bucket: "2026-03-08".to_owned(),
        outcome,
    };
    let Outcome::Violated { message, .. } = violated("2026-03-08", Severity::High).outcome else {
        unreachable!()
    };
    let gone = Outcome::Violated {
        severity: Severity::High,
        message,
        threshold: None,
        actual: None,
        details: json!(null),
    };
    record(&database, NOW, &[missing(gone)]).await;
    record(&database, NOW, &[missing(Outcome::Insufficient)]).await;
    assert!(!all(&database).await[0].is_resolved);
    record(&database, LATER, &[missing(Outcome::Passed)]).await;
    assert!(all(&database).await[0].is_resolved);
}

#[tokio::test]
async fn a_person_resolves_it_once_and_the_filters_choose() {
    let database = Database::migrated().await;
    let id = record(&database, NOW, &[violated("2026-03-08", Severity::High)]).await[0].id;
    let resolved = database
        .warehouse
        .resolve_alert(id, "ops", at(LATER))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (resolved.is_resolved, resolved.resolved_by.as_deref()),
        (true, Some("ops"))
    );
    let again = database
        .warehouse
        .resolve_alert(id, "somebody else", at(LATER))
        .await
        .unwrap();
    assert_eq!(again, Some(resolved));
    assert_eq!(
        database
            .warehouse
            .resolve_alert(Uuid::nil(), "ops", at(LATER))
            .await
            .unwrap(),
        None
    );

    let count = async |filter: AlertFilter| database.warehouse.alerts(&filter).await.unwrap().len();
    let none = AlertFilter::default;
    assert_eq!(
        count(AlertFilter {
            resolved: Some(true),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(AlertFilter {
            resolved: Some(false),
            ..none()
        })
        .await,
        0
    );
    assert_eq!(
        count(AlertFilter {
            severity: Some(Severity::High),
            ..none()
        })
        .await,
        1
    );
    assert_eq!(
        count(AlertFilter {
            severity: Some(Severity::Low),
            ..none()
        })
        .await,
        0
    );
    assert_eq!(
        count(AlertFilter {
            table: Some("hourly_metrics".to_owned()),
            ..none()
        })
        .await,
        0
    );
}
