//! `GET /health`: the process is alive. `GET /ready`: it can answer, which takes a migrated warehouse.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::ApiState;
use crate::problem::{ApiError, Problem};

/// That all is well.
#[derive(Debug, Serialize)]
pub(crate) struct Fine {
    status: &'static str,
}

pub(crate) async fn live() -> Json<Fine> {
    Json(Fine { status: "ok" })
}

pub(crate) async fn ready(State(state): State<ApiState>) -> Result<Response, ApiError> {
    if state.warehouse.is_migrated().await? {
        Ok(Json(Fine { status: "ready" }).into_response())
    } else {
        tracing::warn!("not ready: the warehouse is not migrated");
        Ok(Problem::of(StatusCode::SERVICE_UNAVAILABLE).into_response())
    }
}
