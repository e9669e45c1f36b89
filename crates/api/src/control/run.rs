//! `GET /runs/{id}`: a run of the ledger; a backfill with its pieces.

use axum::Json;
use axum::extract::{Path, State};
use kindred_warehouse::Run;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::run_answer::RunAnswer;
use crate::ApiState;
use crate::problem::ApiError;

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OneRun {
    /// The run.
    #[serde(flatten)]
    run: RunAnswer,
    /// The runs of a backfill, oldest first; empty for other runs.
    children: Vec<RunAnswer>,
}

/// A run; a backfill with its pieces
#[utoipa::path(get, path = "/runs/{id}", operation_id = "run", tag = "Runs",
    params(("id" = Uuid, Path, description = "The run's id")), responses((status = 200, body = OneRun)))]
pub(crate) async fn get(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Json<OneRun>, ApiError> {
    let run = find(&state, &id).await?;
    let children = match run.backfill_mode {
        Some(_) => state.warehouse.pieces(run.id).await?,
        None => Vec::new(),
    };
    Ok(Json(OneRun {
        run: run.into(),
        children: children.into_iter().map(RunAnswer::from).collect(),
    }))
}

/// The run that an address names; 404 when there is none, or when it is no id.
pub(crate) async fn find(state: &ApiState, id: &str) -> Result<Run, ApiError> {
    let run = match id.parse::<Uuid>() {
        Ok(id) => state.warehouse.run(id).await?,
        Err(_) => None,
    };
    run.ok_or_else(|| ApiError::NotFound("there is no run of this id".to_owned()))
}
