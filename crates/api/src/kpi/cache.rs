//! `DELETE /cache`: forgets every answer that is kept, so that the next ones are computed anew.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ApiState;

/// What was forgotten.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cleared {
    /// How many answers.
    cleared: u64,
}

/// Empty the cache of this process
#[utoipa::path(delete, path = "/cache", operation_id = "clearCache", tag = "Service",
    responses((status = 200, body = Cleared)))]
pub(crate) async fn delete(State(state): State<ApiState>) -> Json<Cleared> {
    Json(Cleared {
        cleared: state.cache.clear().await,
    })
}
