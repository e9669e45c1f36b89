//! `GET /health` of the ETL control API: whether warehouse and sources answer, how far each source was read, and each
//! job's last run.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use kindred_model::{Instant, Job, RunStatus, Source};
use kindred_warehouse::{Run, Warehouse, WarehouseError, Watermark};
use serde::Serialize;
use utoipa::ToSchema;

use super::run_answer::RunAnswer;
use super::sources::{Reach, Seen};
use crate::ApiState;
use crate::problem::{RETRY_AFTER_SECONDS, log};
use crate::timestamp::Timestamp;

/// How old the watermark may be before something is amiss: a nightly run, and a day's grace.
const WATERMARK_AGE: TimeDelta = TimeDelta::hours(49);

/// The answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    /// ok; degraded, when a job failed last, or a required source does not answer or was not read lately; down, without
    /// a warehouse (503).
    status: &'static str,
    warehouse: WarehouseHealth,
    /// Every source.
    sources: Vec<SourceHealth>,
    /// Every job; empty when the warehouse is away.
    jobs: Vec<JobHealth>,
    /// When this was looked at.
    generated_at: Timestamp,
}

/// The warehouse.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WarehouseHealth {
    /// Whether it answers.
    reachable: bool,
    /// How long it took to, in milliseconds; null when it does not.
    latency_ms: Option<f64>,
}

/// A source database.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SourceHealth {
    /// Its name.
    source: &'static str,
    /// Whether runs fail without it.
    required: bool,
    /// Whether it answers; null when it was not asked, since it has no address or counts how often it is asked.
    reachable: Option<bool>,
    /// How long it took to, in milliseconds, a few seconds ago at most; null when it does not.
    latency_ms: Option<f64>,
    /// The instant at which all of its datasets were last read to the end; null when never.
    last_extraction: Option<Timestamp>,
    /// The latest instant of a row that was read from it.
    last_row_at: Option<Timestamp>,
    /// How many of its datasets were read.
    datasets: usize,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobHealth {
    /// Its name.
    job: &'static str,
    /// The run that was asked for last, but for skipped ones; null when none ever was.
    last_run: Option<RunAnswer>,
    /// When it is due next; null when it is paused or nothing is scheduled.
    next_tick: Option<Timestamp>,
}

/// How warehouse, sources and jobs are
///
/// 200 unless the warehouse is away.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "Service",
    responses((status = 200, body = Health), (status = 503, body = Health, description = "The warehouse is away")))]
pub(crate) async fn get(State(state): State<ApiState>) -> Response {
    let now = state.clock.now();
    let (ledger, seen) = tokio::join!(Ledger::look(&state.warehouse), state.sources.look());
    let (status, ledger) = match ledger {
        Ok(ledger) => (StatusCode::OK, Some(ledger)),
        Err(error) => {
            log(&error);
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
    };
    let watermarks = ledger.as_ref().map_or(&[][..], |ledger| &ledger.watermarks);
    let sources = Source::ALL.iter().map(|source| of_source(*source, watermarks, &seen));
    let sources: Vec<_> = sources.collect();
    let health = Health {
        status: match &ledger {
            None => "down",
            Some(ledger) if ledger.has_failed() || sources.iter().any(|source| source.is_amiss(now)) => "degraded",
            Some(_) => "ok",
        },
        warehouse: WarehouseHealth {
            reachable: ledger.is_some(),
            latency_ms: ledger.as_ref().map(|ledger| milliseconds(ledger.latency)),
        },
        sources,
        jobs: ledger.map_or_else(Vec::new, Ledger::into_jobs),
        generated_at: now.into(),
    };
    let mut response = (status, Json(health)).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}

/// What the warehouse knows.
struct Ledger {
    latency: Duration,
    watermarks: Vec<Watermark>,
    runs: Vec<Run>,
    next_ticks: BTreeMap<Job, Instant>,
}

impl Ledger {
    async fn look(warehouse: &Warehouse) -> Result<Self, WarehouseError> {
        let asked = std::time::Instant::now();
        warehouse.ping().await?;
        let latency = asked.elapsed();
        let ticks = warehouse.job_states().await?.into_iter();
        let next_ticks = ticks.filter_map(|(job, state)| Some((job, state.next_tick.filter(|_| !state.paused)?)));
        Ok(Self {
            latency,
            watermarks: warehouse.watermarks().await?,
            runs: warehouse.last_runs().await?,
            next_ticks: next_ticks.collect(),
        })
    }

    fn has_failed(&self) -> bool {
        self.runs.iter().any(|run| run.status == RunStatus::Failed)
    }

    fn into_jobs(self) -> Vec<JobHealth> {
        let job = |job: &Job| {
            let last_run = self.runs.iter().find(|run| run.job == *job);
            JobHealth {
                job: job.as_str(),
                last_run: last_run.cloned().map(RunAnswer::from),
                next_tick: self.next_ticks.get(job).copied().map(Timestamp),
            }
        };
        Job::ALL.iter().map(job).collect()
    }
}

impl SourceHealth {
    /// Whether runs will fail for want of it, or have not come as far as it for too long.
    fn is_amiss(&self, now: Instant) -> bool {
        let old = |Timestamp(at): Timestamp| now - at > WATERMARK_AGE;
        self.required && (self.reachable == Some(false) || self.last_extraction.is_none_or(old))
    }
}

fn of_source(source: Source, watermarks: &[Watermark], seen: &BTreeMap<Source, Seen>) -> SourceHealth {
    let own: Vec<_> = watermarks
        .iter()
        .filter(|watermark| watermark.source == source.as_str())
        .collect();
    let seen = seen.get(&source).copied();
    let answered = seen.filter(|seen| seen.reach == Reach::Answers);
    SourceHealth {
        source: source.as_str(),
        required: !source.is_optional(),
        reachable: seen.and_then(|seen| match seen.reach {
            Reach::Answers => Some(true),
            Reach::Silent => Some(false),
            Reach::Unasked => None,
        }),
        latency_ms: answered.map(|seen| milliseconds(seen.latency)),
        last_extraction: own.iter().map(|watermark| watermark.extracted_to).min().map(Timestamp),
        last_row_at: own
            .iter()
            .filter_map(|watermark| watermark.last_row_at)
            .max()
            .map(Timestamp),
        datasets: own.len(),
    }
}

fn milliseconds(length: Duration) -> f64 {
    length.as_secs_f64() * 1000.0
}
