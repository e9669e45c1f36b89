//! `GET /alerts`: what the checks of figures and sources found.

use axum::Json;
use axum::extract::State;
use kindred_warehouse::{Alert, AlertFilter, Severity};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::ApiState;
use crate::params::{Params, word};
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// The parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsParams {
    /// Only those that are resolved, or only those that are not.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<bool>)]
    resolved: Option<bool>,
    /// Of this severity.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<String>, pattern = "^(low|medium|high|critical)$")]
    severity: Option<Severity>,
    /// Of this table or fact.
    #[serde(deserialize_with = "word")]
    table: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alerts {
    /// The alerts, the one that was seen last first; 1,000 at most.
    alerts: Vec<AlertAnswer>,
}

/// Something that a check found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AlertAnswer {
    /// Its id.
    id: Uuid,
    /// missing_data, data_spike, data_drop, schema_change, contradiction or unusable_rows.
    alert_type: &'static str,
    /// The summary table, or the fact.
    table_name: String,
    /// Its column; null when whole rows are meant.
    column_name: Option<String>,
    /// The check.
    check_name: String,
    /// The part of the table that is meant; null for all of it.
    dimension: Option<String>,
    /// What is wrong.
    alert_message: String,
    /// low, medium, high or critical.
    severity: &'static str,
    /// What the actual value was held against.
    threshold: Option<f64>,
    /// What was found last.
    actual_value: Option<f64>,
    /// Anything else: the bucket that was wrong, those that were well since.
    details: Value,
    /// How often it was found.
    #[schema(minimum = 1)]
    occurrences: i32,
    /// When it was found first.
    created_at: Timestamp,
    /// When it was found last.
    last_seen_at: Timestamp,
    /// Whether it is settled.
    is_resolved: bool,
    /// Since when; null while it is not.
    resolved_at: Option<Timestamp>,
    /// By whom: `check` when the check passes again.
    resolved_by: Option<String>,
    /// The run that found it last.
    run_id: Option<Uuid>,
}

/// What the checks of figures and sources found, the one that was seen last first
#[utoipa::path(get, path = "/alerts", operation_id = "alerts", tag = "Alerts", params(AlertsParams),
    responses((status = 200, body = Alerts)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    Params(params): Params<AlertsParams>,
) -> Result<Json<Alerts>, ApiError> {
    if params.table.as_ref().is_some_and(|table| table.contains('\0')) {
        return Err(ApiError::BadRequest("table: no name has a NUL".to_owned()));
    }
    let filter = AlertFilter {
        resolved: params.resolved,
        severity: params.severity,
        table: params.table,
    };
    let alerts = state.warehouse.alerts(&filter).await?;
    Ok(Json(Alerts {
        alerts: alerts.into_iter().map(AlertAnswer::from).collect(),
    }))
}

impl From<Alert> for AlertAnswer {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id,
            alert_type: alert.key.alert_type.as_str(),
            table_name: alert.key.table,
            column_name: alert.key.column,
            check_name: alert.key.check,
            dimension: alert.key.dimension,
            alert_message: alert.message,
            severity: alert.severity.as_str(),
            threshold: alert.threshold,
            actual_value: alert.actual,
            details: alert.details,
            occurrences: alert.occurrences,
            created_at: alert.created_at.into(),
            last_seen_at: alert.last_seen_at.into(),
            is_resolved: alert.is_resolved,
            resolved_at: alert.resolved_at.map(Timestamp::from),
            resolved_by: alert.resolved_by,
            run_id: alert.run_id,
        }
    }
}
