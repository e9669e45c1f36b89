//! `POST /runs/{id}/cancel`: ends a run from outside. Its process notices by its next heartbeat, and publishes nothing.

use axum::Json;
use axum::extract::{Path, State};

use super::run::find;
use super::run_answer::RunAnswer;
use crate::ApiState;
use crate::problem::ApiError;

/// End a run
///
/// Answers the cancelled run; 409 when it was over already. A backfill's piece under way is cancelled with it.
#[utoipa::path(post, path = "/runs/{id}/cancel", operation_id = "cancelRun", tag = "Runs",
    params(("id" = Uuid, Path, description = "The run's id")), responses((status = 200, body = RunAnswer)))]
pub(crate) async fn post(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<RunAnswer>, ApiError> {
    let run_id = find(&state, &id).await?.id;
    let cancelled = state.warehouse.cancel(run_id, state.clock.now()).await?;
    let run = find(&state, &id).await?;
    if cancelled {
        return Ok(Json(run.into()));
    }
    Err(ApiError::Conflict {
        detail: format!("the run is over: it ended {}", run.status),
        run_id,
    })
}
