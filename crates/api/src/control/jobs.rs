//! `GET /jobs`: each job's schedule, ticks, last run, and how fresh what it reads is. `POST /jobs/{job}/pause` and
//! `/resume` keep its ticks from starting runs, or let them again.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use kindred_model::{Fact, Instant, Job};
use kindred_warehouse::{JobState, Run, WarehouseError, Watermark};
use serde::Serialize;
use utoipa::ToSchema;

use super::job_name::job_named;
use super::run_answer::RunAnswer;
use crate::ApiState;
use crate::problem::ApiError;
use crate::timestamp::Timestamp;

/// The answer of `GET /jobs`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Jobs {
    /// Every job.
    jobs: Vec<JobAnswer>,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobAnswer {
    /// Its name.
    job: &'static str,
    /// When it ticks, in cron's five fields, in UTC; null when this process starts no jobs.
    schedule: Option<String>,
    /// Whether its ticks start nothing until it is resumed.
    paused: bool,
    /// The last tick that was dealt with.
    last_tick: Option<Timestamp>,
    /// When it ticks next; null when it is paused or nothing is scheduled.
    next_tick: Option<Timestamp>,
    /// The run that was asked for last, but for skipped ones; null when none ever was.
    last_run: Option<RunAnswer>,
    /// How fresh what it reads is.
    freshness: Freshness,
}

/// How fresh what a job reads is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Freshness {
    /// Every required fact that the job reads was read to the end at this instant or later; null before.
    as_of: Option<Timestamp>,
    /// How long ago that is, in seconds.
    age_seconds: Option<i64>,
    /// Each fact that the job reads.
    facts: Vec<FactFreshness>,
}

/// How fresh a fact is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FactFreshness {
    /// Its name.
    fact: &'static str,
    /// Its source.
    source: &'static str,
    /// The instant at which it was last read to the end; null when never.
    as_of: Option<Timestamp>,
}

/// Each job's schedule, ticks, last run, and how fresh what it reads is
#[utoipa::path(get, path = "/jobs", operation_id = "jobs", tag = "Jobs", responses((status = 200, body = Jobs)))]
pub(crate) async fn get(State(state): State<ApiState>) -> Result<Json<Jobs>, ApiError> {
    let known = Known::look(&state).await?;
    let jobs = Job::ALL.iter().map(|job| known.job(*job)).collect();
    Ok(Json(Jobs { jobs }))
}

/// Keep a job's ticks from starting runs
#[utoipa::path(post, path = "/jobs/{job}/pause", operation_id = "pauseJob", tag = "Jobs",
    params(("job" = String, Path, description = "daily, hourly, weekly (or retention) or sessions",
        pattern = "^(daily|hourly|weekly|retention|sessions)$")),
    responses((status = 200, body = JobAnswer)))]
pub(crate) async fn pause(State(state): State<ApiState>, Path(job): Path<String>) -> Result<Json<JobAnswer>, ApiError> {
    let job = job_named(&job)?;
    state.warehouse.pause(job).await?;
    Ok(Json(Known::look(&state).await?.job(job)))
}

/// Let a job's ticks start runs again
#[utoipa::path(post, path = "/jobs/{job}/resume", operation_id = "resumeJob", tag = "Jobs",
    params(("job" = String, Path, description = "daily, hourly, weekly (or retention) or sessions",
        pattern = "^(daily|hourly|weekly|retention|sessions)$")),
    responses((status = 200, body = JobAnswer)))]
pub(crate) async fn resume(
    State(state): State<ApiState>,
    Path(job): Path<String>,
) -> Result<Json<JobAnswer>, ApiError> {
    let job = job_named(&job)?;
    state.warehouse.resume(job).await?;
    Ok(Json(Known::look(&state).await?.job(job)))
}

/// What is known of the jobs.
struct Known {
    now: Instant,
    schedules: Arc<BTreeMap<Job, String>>,
    ticks: BTreeMap<Job, JobState>,
    runs: Vec<Run>,
    watermarks: Vec<Watermark>,
}

impl Known {
    async fn look(state: &ApiState) -> Result<Self, WarehouseError> {
        Ok(Self {
            now: state.clock.now(),
            schedules: Arc::clone(&state.schedules),
            ticks: state.warehouse.job_states().await?,
            runs: state.warehouse.last_runs().await?,
            watermarks: state.warehouse.watermarks().await?,
        })
    }

    fn job(&self, job: Job) -> JobAnswer {
        let ticks = self.ticks.get(&job).copied().unwrap_or_default();
        let last_run = self.runs.iter().find(|run| run.job == job);
        JobAnswer {
            job: job.as_str(),
            schedule: self.schedules.get(&job).cloned(),
            paused: ticks.paused,
            last_tick: ticks.last_tick.map(Timestamp),
            next_tick: ticks.next_tick.filter(|_| !ticks.paused).map(Timestamp),
            last_run: last_run.cloned().map(RunAnswer::from),
            freshness: self.freshness(job),
        }
    }

    fn freshness(&self, job: Job) -> Freshness {
        let required = job.facts().iter().filter(|fact| !fact.source().is_optional());
        // One that was never read is older than any other.
        let as_of = required.map(|fact| self.read_to(*fact)).min().flatten();
        let facts = job.facts().iter().map(|fact| FactFreshness {
            fact: fact.as_str(),
            source: fact.source().as_str(),
            as_of: self.read_to(*fact).map(Timestamp),
        });
        Freshness {
            as_of: as_of.map(Timestamp),
            age_seconds: as_of.map(|at| (self.now - at).num_seconds()),
            facts: facts.collect(),
        }
    }

    fn read_to(&self, fact: Fact) -> Option<Instant> {
        let own = |mark: &&Watermark| mark.source == fact.source().as_str() && mark.dataset == fact.as_str();
        self.watermarks.iter().find(own).map(|mark| mark.extracted_to)
    }
}
