//! `POST /trigger/{job}`: asks for a run now, and waits for it. A worker elsewhere does the run.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{Days, NaiveDate};
use kindred_model::{Instant, Interval, Job, Trigger};
use kindred_warehouse::RunRequest;
use serde::Deserialize;
use utoipa::IntoParams;

use super::days::begun;
use super::job_name::job_named;
use super::run_answer::RunAnswer;
use crate::ApiState;
use crate::params::{Params, date, word};
use crate::problem::ApiError;

/// How long a caller waits who does not say.
const WAIT_SECONDS: u64 = 60;

/// How long a caller may wait.
const MOST_WAIT_SECONDS: u64 = 300;

/// What asking and answering may take beside the wait.
const GRACE: Duration = Duration::from_secs(5);

/// The parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct TriggerParams {
    /// The day to compute; for the weekly job, the week that was closed when it began.
    #[serde(deserialize_with = "date")]
    date: Option<NaiveDate>,
    /// The first day, in place of `date`.
    #[serde(deserialize_with = "date")]
    from: Option<NaiveDate>,
    /// The day after the last.
    #[serde(deserialize_with = "date")]
    to: Option<NaiveDate>,
    /// How many seconds to wait for the run's end, 0 to 300; 60 when absent.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<u64>, maximum = 300)]
    wait: Option<u64>,
    /// Whether to compute and check only.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<bool>)]
    dry_run: Option<bool>,
}

/// Ask for a run now, and wait for it
///
/// Answers 200 with the finished run, 202 when it takes longer than the caller waits, 409 when one is under way.
#[utoipa::path(post, path = "/trigger/{job}", operation_id = "trigger", tag = "Runs",
    params(("job" = String, Path, description = "daily, hourly, weekly (or retention) or sessions",
        pattern = "^(daily|hourly|weekly|retention|sessions)$"), TriggerParams),
    responses((status = 200, body = RunAnswer, description = "The run is over: its status says how"),
        (status = 202, body = RunAnswer, description = "The run takes longer than the caller waits")))]
pub(crate) async fn post(
    State(state): State<ApiState>,
    Path(job): Path<String>,
    Params(params): Params<TriggerParams>,
) -> Result<(StatusCode, Json<RunAnswer>), ApiError> {
    let job = job_named(&job)?;
    let at = state.clock.now();
    let wait = params.wait()?;
    let request = RunRequest {
        job,
        interval: params.interval(job, at)?,
        trigger: Trigger::Manual,
        dry_run: params.dry_run.unwrap_or(false),
        at,
    };
    let run = async {
        let deadline = tokio::time::Instant::now() + wait;
        let run_id = state.warehouse.request(&request).await?;
        Ok(state.warehouse.wait_until_final(run_id, deadline).await?)
    };
    let run = tokio::time::timeout(wait + GRACE, run)
        .await
        .unwrap_or(Err(ApiError::TimedOut))?;
    let status = if run.status.is_final() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(run.into())))
}

impl TriggerParams {
    fn wait(&self) -> Result<Duration, ApiError> {
        match self.wait.unwrap_or(WAIT_SECONDS) {
            seconds @ 0..=MOST_WAIT_SECONDS => Ok(Duration::from_secs(seconds)),
            _ => Err(ApiError::BadRequest(format!(
                "wait: at most {MOST_WAIT_SECONDS} seconds"
            ))),
        }
    }

    /// The time asked for; without any, what was closed last and what goes on.
    fn interval(&self, job: Job, now: Instant) -> Result<Interval, ApiError> {
        let today = now.date_naive();
        match (self.date, self.from, self.to) {
            (None, None, None) => Ok(job.default_interval(now)),
            (Some(day), None, None) => begun(day, day + Days::new(1), today).map(|_| job.interval_of(day)),
            (None, Some(from), Some(to)) => begun(from, to, today).map(Interval::from),
            (None, ..) => Err(ApiError::BadRequest("`from` and `to` come together".to_owned())),
            (Some(_), ..) => Err(ApiError::BadRequest("give either `date` or `from` and `to`".to_owned())),
        }
    }
}
