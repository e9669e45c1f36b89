//! `GET /health` of the ETL control API: the warehouse, how far each source was read, and each job's last run, as far
//! as the warehouse knows.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::TimeDelta;
use kindred_model::{Instant, Job, RunStatus, Source};
use kindred_warehouse::{Warehouse, WarehouseError, Watermark};
use serde::Serialize;

use super::run::RunAnswer;
use crate::ApiState;
use crate::problem::log;
use crate::timestamp::Timestamp;

/// How old the watermark may be before something is amiss: a nightly run, and a day's grace.
const WATERMARK_AGE: TimeDelta = TimeDelta::hours(49);

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    /// ok; degraded, when a job failed last or a required source was not read lately; down, without a warehouse (503).
    status: &'static str,
    warehouse: WarehouseHealth,
    sources: Vec<SourceHealth>,
    jobs: Vec<JobHealth>,
    /// When this was looked at.
    generated_at: Timestamp,
}

/// The warehouse.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WarehouseHealth {
    /// Whether it answers.
    reachable: bool,
    /// How long it took to, in milliseconds; null when it does not.
    latency_ms: Option<f64>,
}

/// A source database.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SourceHealth {
    /// Its name.
    source: &'static str,
    /// Whether runs fail without it.
    required: bool,
    /// The instant at which all of its datasets were last read to the end; null when never.
    last_extraction: Option<Timestamp>,
    /// The latest instant of a row that was read from it.
    last_row_at: Option<Timestamp>,
    /// How many of its datasets were read.
    datasets: usize,
}

/// A job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobHealth {
    /// Its name.
    job: &'static str,
    /// The run that was asked for last; null when none ever was.
    last_run: Option<RunAnswer>,
    /// When it is due next; null when nothing is scheduled.
    next_tick: Option<Timestamp>,
}

pub(crate) async fn get(State(state): State<ApiState>) -> (StatusCode, Json<Health>) {
    let now = state.clock.now();
    match look(&state.warehouse, now).await {
        Ok(health) => (StatusCode::OK, Json(health)),
        Err(error) => {
            log(&error);
            let down = Health {
                status: "down",
                warehouse: WarehouseHealth {
                    reachable: false,
                    latency_ms: None,
                },
                sources: Vec::new(),
                jobs: Vec::new(),
                generated_at: now.into(),
            };
            (StatusCode::SERVICE_UNAVAILABLE, Json(down))
        }
    }
}

async fn look(warehouse: &Warehouse, now: Instant) -> Result<Health, WarehouseError> {
    let asked = std::time::Instant::now();
    warehouse.ping().await?;
    let latency_ms = asked.elapsed().as_secs_f64() * 1000.0;

    let watermarks = warehouse.watermarks().await?;
    let sources: Vec<_> = Source::ALL
        .iter()
        .map(|source| of_source(*source, &watermarks))
        .collect();
    let mut jobs = Vec::with_capacity(Job::ALL.len());
    let mut degraded = sources.iter().any(|source| {
        source.required
            && source
                .last_extraction
                .is_none_or(|Timestamp(at)| now - at > WATERMARK_AGE)
    });
    for job in Job::ALL {
        let last_run = warehouse.latest_run(*job).await?;
        degraded |= last_run.as_ref().is_some_and(|run| run.status == RunStatus::Failed);
        jobs.push(JobHealth {
            job: job.as_str(),
            last_run: last_run.map(RunAnswer::from),
            next_tick: warehouse.next_tick(*job).await?.map(Timestamp),
        });
    }
    Ok(Health {
        status: if degraded { "degraded" } else { "ok" },
        warehouse: WarehouseHealth {
            reachable: true,
            latency_ms: Some(latency_ms),
        },
        sources,
        jobs,
        generated_at: now.into(),
    })
}

fn of_source(source: Source, watermarks: &[Watermark]) -> SourceHealth {
    let own: Vec<_> = watermarks
        .iter()
        .filter(|watermark| watermark.source == source.as_str())
        .collect();
    SourceHealth {
        source: source.as_str(),
        required: !source.is_optional(),
        last_extraction: own.iter().map(|watermark| watermark.extracted_to).min().map(Timestamp),
        last_row_at: own
            .iter()
            .filter_map(|watermark| watermark.last_row_at)
            .max()
            .map(Timestamp),
        datasets: own.len(),
    }
}
