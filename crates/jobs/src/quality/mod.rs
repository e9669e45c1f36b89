//! Checks of what came in and of what went out: queries that judge, and alerts for what they find.
//!
//! A check is a query under `queries/quality/`. Whatever it looks at, it answers the same columns ([`verdicts`]), so
//! that a new check needs no code. What it finds never stops a run, and that it cannot be made is logged. Identities are
//! stricter: figures that contradict each other are not published, and when they cannot be asked the run fails.

mod facts;
mod identities;
mod pulled;
mod schema;
mod series;
mod verdicts;
mod webhook;

use std::collections::BTreeSet;

use chrono::{NaiveDate, SecondsFormat};
use kindred_model::{Instant, Interval, Job};
use kindred_warehouse::{Alert, AlertType, CheckKey, Outcome, Run, Severity, Verdict};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use facts::facts;
pub(crate) use identities::{identities, told};
pub(crate) use pulled::of_pull;
pub(crate) use schema::{mistakes, of_sources};
pub use webhook::Webhook;

use crate::Platform;
use crate::demand::RESTATED_DAYS;
use crate::error::describe;

/// Judges what a run has published beside what stood before, and makes alerts of all that its checks found.
pub(crate) async fn judge_published(platform: &Platform, run: &Run, asked: Interval, mut verdicts: Vec<Verdict>) {
    match series::series(platform, run.job, asked).await {
        Ok(found) => {
            let checks = json!({ "series": summary(&found) });
            if let Err(error) = platform.warehouse.add_checks(run.id, &checks).await {
                tracing::warn!(run_id = %run.id, error = describe(&error), "what the checks found is not noted");
            }
            verdicts.extend(found);
        }
        Err(error) => tracing::warn!(run_id = %run.id, error = describe(&error), "the series could not be checked"),
    }
    record(platform, run.id, platform.clock.now(), &verdicts).await;
}

/// That days changed which are too old to be restated by themselves. Nothing but a backfill helps, and nothing tells of
/// one: whoever has done it resolves the alert.
pub(crate) fn too_late(days: &BTreeSet<NaiveDate>, job: Job, at: Instant) -> Option<Verdict> {
    let (first, last) = (days.first()?, days.last()?);
    let after = last.succ_opt()?;
    Some(Verdict {
        key: CheckKey {
            alert_type: AlertType::MissingData,
            table: job.as_str().to_owned(),
            column: None,
            check: "restated_in_time".to_owned(),
            dimension: None,
        },
        bucket: at.to_rfc3339_opts(SecondsFormat::Micros, true),
        outcome: Outcome::Violated {
            severity: Severity::Medium,
            message: format!(
                "{} days that are more than {RESTATED_DAYS} days old have changed and are not computed again; run \
                 `kindred backfill {job} --from {first} --to {after} --mode all`",
                days.len()
            ),
            threshold: None,
            actual: Some(days.len() as f64),
            details: json!({ "days": days }),
        },
    })
}

/// Makes alerts of what was found; logs those that are new or worse, and tells them to whoever wants to know.
pub(crate) async fn record(platform: &Platform, run_id: Uuid, at: Instant, verdicts: &[Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    match platform.warehouse.record_verdicts(run_id, at, verdicts).await {
        Ok(alerts) => {
            alerts.iter().for_each(log);
            if let Some(webhook) = &platform.webhook {
                webhook.tell(&platform.warehouse, &alerts, at).await;
            }
        }
        Err(error) => tracing::warn!(%run_id, error = describe(&error), "what the checks found is not noted"),
    }
}

fn log(alert: &Alert) {
    tracing::warn!(
        alert_id = %alert.id,
        alert_type = alert.key.alert_type.as_str(),
        severity = alert.severity.as_str(),
        table = alert.key.table,
        message = alert.message,
        "an alert was raised"
    );
}

/// What the ledger keeps of the checks: how many passed, and each of the others.
pub(crate) fn summary(verdicts: &[Verdict]) -> Value {
    let count = |wanted: fn(&Outcome) -> bool| verdicts.iter().filter(|verdict| wanted(&verdict.outcome)).count();
    let told = |verdict: &Verdict| {
        let Outcome::Violated { severity, message, .. } = &verdict.outcome else {
            return None;
        };
        Some(json!({
            "check": verdict.key.check,
            "type": verdict.key.alert_type.as_str(),
            "table": verdict.key.table,
            "column": verdict.key.column,
            "dimension": verdict.key.dimension,
            "bucket": verdict.bucket,
            "severity": severity.as_str(),
            "message": message,
        }))
    };
    json!({
        "passed": count(|outcome| *outcome == Outcome::Passed),
        "insufficientHistory": count(|outcome| *outcome == Outcome::Insufficient),
        "violated": verdicts.iter().filter_map(told).collect::<Vec<_>>(),
    })
}
