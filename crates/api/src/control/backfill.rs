//! `POST /backfill`: asks for days to be computed in pieces, oldest first. A worker elsewhere does it; how far it has come
//! is told by `GET /runs/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use chrono::NaiveDate;
use kindred_model::{BackfillMode, Job};
use kindred_warehouse::{BackfillRequest, RequestError};
use serde::Deserialize;
use utoipa::ToSchema;

use super::days::begun;
use super::run_answer::RunAnswer;
use crate::ApiState;
use crate::params::{Body, date, word};
use crate::problem::ApiError;

/// The body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BackfillBody {
    /// By which job.
    #[serde(default, deserialize_with = "word")]
    #[schema(value_type = String, required = true, pattern = "^(daily|hourly|weekly|sessions)$")]
    job: Option<Job>,
    /// The first day.
    #[serde(default, deserialize_with = "date")]
    #[schema(value_type = NaiveDate, required = true)]
    from: Option<NaiveDate>,
    /// The day after the last.
    #[serde(default, deserialize_with = "date")]
    #[schema(value_type = NaiveDate, required = true)]
    to: Option<NaiveDate>,
    /// Which of them: missing (the default), failed or all.
    #[serde(default, deserialize_with = "word")]
    #[schema(value_type = String, required = false, pattern = "^(missing|failed|all)$")]
    mode: Option<BackfillMode>,
    /// Whether to compute and check only.
    #[serde(default)]
    dry_run: bool,
}

/// Ask for past days, oldest first
///
/// Answers 202 with the backfill's run, 409 when a backfill of the job is under way.
#[utoipa::path(post, path = "/backfill", operation_id = "backfill", tag = "Runs", request_body = BackfillBody,
    responses((status = 202, body = RunAnswer, headers(("Location" = String, description = "Where the run is told of")))))]
pub(crate) async fn post(
    State(state): State<ApiState>,
    Body(body): Body<BackfillBody>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<RunAnswer>), ApiError> {
    let at = state.clock.now();
    let (Some(job), Some(from), Some(to)) = (body.job, body.from, body.to) else {
        return Err(ApiError::BadRequest("`job`, `from` and `to` are needed".to_owned()));
    };
    let window = begun(from, to, at.date_naive())?;
    let request = BackfillRequest {
        job,
        window,
        mode: body.mode.unwrap_or(BackfillMode::Missing),
        dry_run: body.dry_run,
        at,
    };
    let run = state.warehouse.request_backfill(&request).await.map_err(refused)?;
    let location = [(LOCATION, format!("/runs/{}", run.id))];
    Ok((StatusCode::ACCEPTED, location, Json(run.into())))
}

fn refused(error: RequestError) -> ApiError {
    match error {
        RequestError::AlreadyRunning { run_id, .. } => ApiError::Conflict {
            detail: "a backfill of this job is queued or running".to_owned(),
            run_id,
        },
        error => error.into(),
    }
}
