//! `GET /erasure/{id}`: how far the erasure of a person has come.

use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use kindred_warehouse::Erasure;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::ApiState;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// What turns a user's id into the key that stands for it in warehouse and lake.
#[derive(Clone)]
pub(crate) struct UserKeys(Arc<dyn Fn(&str) -> i64 + Send + Sync>);

impl UserKeys {
    pub(crate) fn by(key: impl Fn(&str) -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(key))
    }

    pub(super) fn of(&self, user_id: &str) -> i64 {
        (self.0)(user_id)
    }
}

impl fmt::Debug for UserKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserKeys(hidden)")
    }
}

/// The erasure of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Erasure)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErasureAnswer {
    /// Its id: the person's user key, as text, since it has more digits than a number of JavaScript.
    id: String,
    /// requested; failed, and tried again every few minutes; or completed.
    status: &'static str,
    /// When it was asked for.
    requested_at: Timestamp,
    /// Since when nothing is left; null before.
    completed_at: Option<Timestamp>,
    /// Rows that were removed, in the warehouse and in the lake.
    #[schema(minimum = 0)]
    rows_erased: i64,
    /// What was removed where, and what the scan afterwards looked at; or why it failed.
    report: Value,
}

impl From<Erasure> for ErasureAnswer {
    fn from(erasure: Erasure) -> Self {
        let has_failed = erasure.report.get("error").is_some();
        Self {
            id: erasure.user_key.to_string(),
            status: match erasure.completed_at {
                Some(_) => "completed",
                None if has_failed => "failed",
                None => "requested",
            },
            requested_at: erasure.requested_at.into(),
            completed_at: erasure.completed_at.map(Timestamp::from),
            rows_erased: erasure.rows_erased,
            report: erasure.report,
        }
    }
}

/// How far the erasure of a person has come
#[utoipa::path(get, path = "/erasure/{id}", operation_id = "erasure", tag = "Privacy",
    params(("id" = String, Path, description = "What `POST /erasure` answered: the person's user key")),
    responses((status = 200, body = ErasureAnswer)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<ErasureAnswer>, ApiError> {
    let erasure = match id.parse() {
        Ok(user_key) => state.warehouse.erasure(user_key).await?,
        Err(_) => None,
    };
    let found = erasure.ok_or_else(|| ApiError::NotFound("there is no erasure of this id".to_owned()))?;
    Ok(Json(found.into()))
}
