//! `GET /health`: the process is alive. `GET /ready`: it can answer, which takes a migrated warehouse.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ApiState;
use crate::problem::{ApiError, Problem};

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Fine {
    /// ok, or ready.
    status: &'static str,
}

/// The process is alive
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "Service", responses((status = 200, body = Fine)))]
pub(crate) async fn live() -> Json<Fine> {
    Json(Fine { status: "ok" })
}

/// The warehouse can be read
#[utoipa::path(get, path = "/ready", operation_id = "ready", tag = "Service", responses((status = 200, body = Fine)))]
pub(crate) async fn ready(State(state): State<ApiState>) -> Result<Response, ApiError> {
    if state.warehouse.is_migrated().await? {
        Ok(Json(Fine { status: "ready" }).into_response())
    } else {
        tracing::warn!("not ready: the warehouse is not migrated");
        Ok(Problem::of(StatusCode::SERVICE_UNAVAILABLE).into_response())
    }
}
