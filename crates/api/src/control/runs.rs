//! `GET /runs`: the ledger, the newest first, a page at a time.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use kindred_model::{DayWindow, Instant, Job, RunStatus, day_start};
use kindred_warehouse::{RunFilter, RunPosition};
use serde::Deserialize;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::run_answer::RunAnswer;
use crate::ApiState;
use crate::params::{Params, date, word};
use crate::problem::ApiError;

/// How many runs a page holds for a caller who does not say.
const LIMIT: u32 = 50;

/// The most that a page holds.
const MOST: u32 = 500;

/// The parameters.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsParams {
    /// Of this job.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<String>, pattern = "^(daily|hourly|weekly|sessions)$")]
    job: Option<Job>,
    /// In this state.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<String>, pattern = "^(queued|running|completed|failed|partial|skipped|cancelled)$")]
    status: Option<RunStatus>,
    /// Requested on this day or later.
    #[serde(deserialize_with = "date")]
    from: Option<NaiveDate>,
    /// Requested before this day.
    #[serde(deserialize_with = "date")]
    to: Option<NaiveDate>,
    /// How many, 1 to 500; 50 when absent.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where to go on: the `nextCursor` of the page before.
    #[serde(deserialize_with = "word")]
    #[param(value_type = Option<String>, pattern = "^[0-9a-f]{1,14}-[0-9a-f]{32}$")]
    cursor: Option<Cursor>,
}

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Runs {
    /// The runs, the one that was requested last first.
    runs: Vec<RunAnswer>,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
}

/// The ledger of runs, the newest first, a page at a time
#[utoipa::path(get, path = "/runs", operation_id = "runs", tag = "Runs", params(RunsParams),
    responses((status = 200, body = Runs)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    Params(params): Params<RunsParams>,
) -> Result<Json<Runs>, ApiError> {
    let page = state.warehouse.runs(&params.filter()?, params.limit()?).await?;
    Ok(Json(Runs {
        runs: page.runs.into_iter().map(RunAnswer::from).collect(),
        next_cursor: page.next.map(|place| Cursor(place).to_string()),
    }))
}

impl RunsParams {
    fn filter(&self) -> Result<RunFilter, ApiError> {
        if let (Some(from), Some(to)) = (self.from, self.to) {
            DayWindow::new(from, to).map_err(|error| ApiError::BadRequest(error.to_string()))?;
        }
        Ok(RunFilter {
            job: self.job,
            status: self.status,
            from: self.from.map(day_start),
            to: self.to.map(day_start),
            after: self.cursor.as_ref().map(|cursor| cursor.0),
        })
    }

    fn limit(&self) -> Result<u32, ApiError> {
        match self.limit.unwrap_or(LIMIT) {
            limit @ 1..=MOST => Ok(limit),
            _ => Err(ApiError::BadRequest(format!("limit: 1 to {MOST}"))),
        }
    }
}

/// A place of the list as a caller hands it back: the run's instant in microseconds, and its id, in hexadecimal digits.
#[derive(Debug)]
struct Cursor(RunPosition);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}-{}", self.0.requested_at.timestamp_micros(), self.0.id.simple())
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (micros, id) = text.split_once('-')?;
            let micros = i64::from_str_radix(micros, 16).ok()?;
            Some(RunPosition {
                requested_at: Instant::from_timestamp_micros(micros)?,
                id: id.parse().ok()?,
            })
        };
        read()
            .map(Self)
            .ok_or("hand back `nextCursor` of the page before as it is")
    }
}
