//! Raising alerts, and resolving them by themselves.

use std::collections::{BTreeMap, BTreeSet};

use kindred_model::Instant;
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Alert, CheckKey, Outcome, Verdict, alert};
use crate::{Warehouse, WarehouseError};

/// Who resolves an alert when its check passes again.
pub const RESOLVED_BY_CHECK: &str = "check";

/// Where an alert's `details` keep the last bucket that was wrong, and those that were well since.
const BUCKET: &str = "bucket";
const PASSED: &str = "passedBuckets";

impl Warehouse {
    /// Takes note of what the checks of a run say, oldest bucket first: a violated one raises an alert, or its open one
    /// again; one that passes in enough buckets in a row resolves it. Returns the alerts that are new, or worse than
    /// they were.
    ///
    /// # Errors
    /// When the warehouse refuses; then nothing is noted.
    pub async fn record_verdicts(
        &self,
        run_id: Uuid,
        at: Instant,
        verdicts: &[Verdict],
    ) -> Result<Vec<Alert>, WarehouseError> {
        let failed = || WarehouseError::query("note what the checks found");
        let mut sorted: Vec<_> = verdicts.iter().collect();
        sorted.sort_by(|left, right| left.bucket.cmp(&right.bucket));
        let mut transaction = self.pool().begin().await.map_err(failed())?;
        // One process at a time notes, or two would raise the same alert.
        sqlx::query("lock table data_quality_alerts in share row exclusive mode")
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        let mut open: BTreeMap<_, _> = alert::open(&mut transaction)
            .await?
            .into_iter()
            .map(|alert| (alert.key.clone(), alert))
            .collect();
        let before = open.clone();
        let (mut news, mut settled) = (BTreeSet::new(), Vec::new());
        for Verdict { key, bucket, outcome } in sorted {
            match (open.get_mut(key), outcome) {
                (_, Outcome::Insufficient) | (None, Outcome::Passed) => {}
                (None, Outcome::Violated { .. }) => {
                    let alert = raised(key, bucket, outcome, run_id, at);
                    news.insert(alert.id);
                    open.insert(key.clone(), alert);
                }
                (Some(alert), Outcome::Violated { .. }) => {
                    let severity = alert.severity;
                    *alert = raised_again(alert, bucket, outcome, run_id, at);
                    if alert.severity > severity {
                        news.insert(alert.id);
                    }
                }
                (Some(alert), Outcome::Passed) => {
                    passed(alert, bucket, at);
                    if alert.is_resolved {
                        settled.extend(open.remove(key));
                    }
                }
            }
        }
        let is_changed = |alert: &&Alert| before.get(&alert.key) != Some(*alert);
        for alert in settled.iter().chain(open.values()).filter(is_changed) {
            write(&mut transaction, alert).await?;
        }
        transaction.commit().await.map_err(failed())?;
        Ok(open.into_values().filter(|alert| news.contains(&alert.id)).collect())
    }
}

impl Warehouse {
    /// Adds to what the ledger says of a run's checks: those of what it has published come after it.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn add_checks(&self, run_id: Uuid, checks: &Value) -> Result<(), WarehouseError> {
        sqlx::query("update etl_job_runs set data_quality_checks = data_quality_checks || $2 where id = $1")
            .bind(run_id)
            .bind(checks)
            .execute(self.pool())
            .await
            .map_err(WarehouseError::query("note what the checks found"))?;
        Ok(())
    }
}

fn raised(key: &CheckKey, bucket: &str, outcome: &Outcome, run_id: Uuid, at: Instant) -> Alert {
    let fresh = Alert {
        id: Uuid::now_v7(),
        key: key.clone(),
        message: String::new(),
        severity: super::Severity::Low,
        threshold: None,
        actual: None,
        details: Value::Null,
        occurrences: 0,
        created_at: at,
        last_seen_at: at,
        is_resolved: false,
        resolved_at: None,
        resolved_by: None,
        run_id: None,
    };
    raised_again(&fresh, bucket, outcome, run_id, at)
}

fn raised_again(alert: &Alert, bucket: &str, outcome: &Outcome, run_id: Uuid, at: Instant) -> Alert {
    let Outcome::Violated {
        severity,
        message,
        threshold,
        actual,
        details,
    } = outcome
    else {
        unreachable!("only what is violated is raised");
    };
    let mut details = match details {
        Value::Object(fields) => Value::Object(fields.clone()),
        _ => json!({}),
    };
    details[BUCKET] = json!(bucket);
    Alert {
        message: message.clone(),
        severity: *severity,
        threshold: *threshold,
        actual: *actual,
        details,
        occurrences: alert.occurrences + 1,
        last_seen_at: at,
        run_id: Some(run_id),
        ..alert.clone()
    }
}

/// Counts a bucket that is well, unless it was counted, or lies before the one that was not.
fn passed(alert: &mut Alert, bucket: &str, at: Instant) {
    let buckets = alert.details[PASSED].as_array().cloned().unwrap_or_default();
    let last = buckets.last().and_then(Value::as_str);
    let wrong = alert.details[BUCKET].as_str().unwrap_or_default();
    if bucket < wrong || last.is_some_and(|last| bucket <= last) {
        return;
    }
    let buckets = [buckets, vec![json!(bucket)]].concat();
    let needed = alert.key.alert_type.passes_needed();
    if buckets.len() as u64 >= needed {
        alert.is_resolved = true;
        alert.resolved_at = Some(at);
        alert.resolved_by = Some(RESOLVED_BY_CHECK.to_owned());
    }
    alert.details[PASSED] = Value::Array(buckets);
}

async fn write(connection: &mut PgConnection, alert: &Alert) -> Result<(), WarehouseError> {
    sqlx::query(
        "insert into data_quality_alerts
             (id, alert_type, table_name, column_name, check_name, dimension, alert_message, severity, threshold,
              actual_value, details, occurrences, created_at, last_seen_at, is_resolved, resolved_at, resolved_by, run_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9::double precision, $10::double precision, $11, $12, $13, $14, $15, $16,
                 $17, $18)
         on conflict (id) do update set
             alert_message = excluded.alert_message, severity = excluded.severity, threshold = excluded.threshold,
             actual_value = excluded.actual_value, details = excluded.details, occurrences = excluded.occurrences,
             last_seen_at = excluded.last_seen_at, is_resolved = excluded.is_resolved,
             resolved_at = excluded.resolved_at, resolved_by = excluded.resolved_by, run_id = excluded.run_id",
    )
    .bind(alert.id)
    .bind(alert.key.alert_type.as_str())
    .bind(&alert.key.table)
    .bind(&alert.key.column)
    .bind(&alert.key.check)
    .bind(&alert.key.dimension)
    .bind(&alert.message)
    .bind(alert.severity.as_str())
    .bind(alert.threshold)
    .bind(alert.actual)
    .bind(&alert.details)
    .bind(alert.occurrences)
    .bind(alert.created_at)
    .bind(alert.last_seen_at)
    .bind(alert.is_resolved)
    .bind(alert.resolved_at)
    .bind(&alert.resolved_by)
    .bind(alert.run_id)
    .execute(connection)
    .await
    .map_err(WarehouseError::query("write an alert"))?;
    Ok(())
}
