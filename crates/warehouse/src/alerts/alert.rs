//! Alerts as they stand, for readers; and a person's word that one is settled.

use kindred_model::Instant;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{AlertType, CheckKey, Severity};
use crate::{Warehouse, WarehouseError};

/// Something that a check found, until it is resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: Uuid,
    /// What was checked.
    pub key: CheckKey,
    /// What is wrong, for people.
    pub message: String,
    /// How bad it is now.
    pub severity: Severity,
    /// What the actual value was held against.
    pub threshold: Option<f64>,
    /// What was found last.
    pub actual: Option<f64>,
    /// Anything else: the bucket that was wrong, those that were well since.
    pub details: Value,
    /// How often it was found.
    pub occurrences: i32,
    /// When it was found first.
    pub created_at: Instant,
    /// When it was found last.
    pub last_seen_at: Instant,
    /// Whether it is settled.
    pub is_resolved: bool,
    /// Since when.
    pub resolved_at: Option<Instant>,
    /// By whom: `check` when its check passes again.
    pub resolved_by: Option<String>,
    /// The run that found it last.
    pub run_id: Option<Uuid>,
}

/// Which alerts are asked for; none of a filter: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Only those that are settled, or only those that are not.
    pub resolved: Option<bool>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Of this table.
    pub table: Option<String>,
}

/// The most alerts that one answer has.
pub const MOST_ALERTS: i64 = 1_000;

const COLUMNS: &str = "id, alert_type, table_name, column_name, check_name, dimension, alert_message, severity,
     threshold::double precision as threshold, actual_value::double precision as actual_value, details, occurrences,
     created_at, last_seen_at, is_resolved, resolved_at, resolved_by, run_id";

impl Warehouse {
    /// The alerts, the one that was seen last first; [`MOST_ALERTS`] at most.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, WarehouseError> {
        let failed = WarehouseError::query("read the alerts");
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from data_quality_alerts
             where ($1::boolean is null or is_resolved = $1)
               and ($2::text is null or severity = $2)
               and ($3::text is null or table_name = $3)
             order by last_seen_at desc, id limit {MOST_ALERTS}"
        )))
        .bind(filter.resolved)
        .bind(filter.severity.map(Severity::as_str))
        .bind(&filter.table)
        .fetch_all(self.pool())
        .await
        .map_err(failed)?;
        rows.iter().map(read).collect()
    }

    /// The worst severity of other alerts of the same check that were raised since an instant.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn severest_before(&self, alert: &Alert, since: Instant) -> Result<Option<Severity>, WarehouseError> {
        let severities: Vec<String> = sqlx::query_scalar(
            "select distinct severity from data_quality_alerts
             where (alert_type, table_name, check_name) = ($1, $2, $3)
               and column_name is not distinct from $4 and dimension is not distinct from $5
               and id <> $6 and created_at >= $7",
        )
        .bind(alert.key.alert_type.as_str())
        .bind(&alert.key.table)
        .bind(&alert.key.check)
        .bind(&alert.key.column)
        .bind(&alert.key.dimension)
        .bind(alert.id)
        .bind(since)
        .fetch_all(self.pool())
        .await
        .map_err(WarehouseError::query("read earlier alerts"))?;
        Ok(severities.iter().filter_map(|name| Severity::named(name)).max())
    }

    /// Notes that somebody says an alert is settled. Returns it as it stands then; one that was settled already stays as
    /// it was. None: there is none of this id.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn resolve_alert(&self, id: Uuid, by: &str, at: Instant) -> Result<Option<Alert>, WarehouseError> {
        let failed = || WarehouseError::query("resolve an alert");
        sqlx::query(
            "update data_quality_alerts set is_resolved = true, resolved_at = $2, resolved_by = $3
             where id = $1 and not is_resolved",
        )
        .bind(id)
        .bind(at)
        .bind(by)
        .execute(self.pool())
        .await
        .map_err(failed())?;
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS} from data_quality_alerts where id = $1"
        )))
        .bind(id)
        .fetch_optional(self.pool())
        .await
        .map_err(failed())?;
        row.as_ref().map(read).transpose()
    }
}

/// Every alert that is not settled.
pub(super) async fn open(connection: &mut PgConnection) -> Result<Vec<Alert>, WarehouseError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from data_quality_alerts where not is_resolved"
    )))
    .fetch_all(connection)
    .await
    .map_err(WarehouseError::query("read the open alerts"))?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<Alert, WarehouseError> {
    alert(row).map_err(WarehouseError::query("read an alert"))
}

fn alert(row: &PgRow) -> Result<Alert, sqlx::Error> {
    let unknown = |what: &str, name: String| sqlx::Error::Decode(format!("{name} is no {what}").into());
    let (alert_type, severity): (String, String) = (row.try_get("alert_type")?, row.try_get("severity")?);
    Ok(Alert {
        id: row.try_get("id")?,
        key: CheckKey {
            alert_type: AlertType::named(&alert_type).ok_or_else(|| unknown("type of alert", alert_type))?,
            table: row.try_get("table_name")?,
            column: row.try_get("column_name")?,
            check: row.try_get("check_name")?,
            dimension: row.try_get("dimension")?,
        },
        message: row.try_get("alert_message")?,
        severity: Severity::named(&severity).ok_or_else(|| unknown("severity", severity))?,
        threshold: row.try_get("threshold")?,
        actual: row.try_get("actual_value")?,
        details: row.try_get("details")?,
        occurrences: row.try_get("occurrences")?,
        created_at: row.try_get("created_at")?,
        last_seen_at: row.try_get("last_seen_at")?,
        is_resolved: row.try_get("is_resolved")?,
        resolved_at: row.try_get("resolved_at")?,
        resolved_by: row.try_get("resolved_by")?,
        run_id: row.try_get("run_id")?,
    })
}
