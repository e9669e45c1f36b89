//! The ledger of runs, `etl_job_runs`: who asked for what, who works on it, and how it ended.
//!
//! A run is requested (`queued`), claimed by an owner (`running`, with a heartbeat), and ended by that owner. The
//! owner and its heartbeat are the run's lease: who has lost it changes nothing any more. At most one run of a job is
//! queued or running, and at most one run of all jobs is running, which unique indexes hold, not this code. Backfills are
//! rows of their own, apart from that: their runs, the children, take turns with others.

mod backfill;
mod cancel;
mod history;
mod lease;
mod list;
mod request;
mod retry;

use std::time::Duration;

use chrono::TimeDelta;
use kindred_model::{BackfillMode, Instant, Interval, Job, RunStatus, Trigger, UnknownWord};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::WarehouseError;

pub use backfill::{BackfillProgress, BackfillRequest, piece_detail, plan_detail};
pub(crate) use lease::finish;
pub use list::{RunFilter, RunPage, RunPosition};
pub use request::RequestError;
pub(crate) use request::{Attended, in_the_way, insert_queued};
pub use retry::{ATTEMPTS, backoff};

/// How old the heartbeat of a run may be before its process counts as dead. Owners beat several times in it.
pub const STALE_AFTER: Duration = Duration::from_secs(60);

/// How long a run may stay queued before it counts as forgotten: nobody serves this warehouse.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(1);

/// A run that somebody wants.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Of which job.
    pub job: Job,
    /// Over which time.
    pub interval: Interval,
    /// Who asks.
    pub trigger: Trigger,
    /// Whether to compute and check only, and publish nothing.
    pub dry_run: bool,
    /// When.
    pub at: Instant,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name in every table that it writes.
    pub id: Uuid,
    /// The job.
    pub job: Job,
    /// The first instant of its window.
    pub interval_start: Instant,
    /// The first instant after its window.
    pub interval_end: Instant,
    /// What asked for it.
    pub trigger: Trigger,
    /// Its state.
    pub status: RunStatus,
    /// Which try this is, from 1.
    pub attempt: i32,
    /// When it was asked for.
    pub requested_at: Instant,
    /// When an owner took it up; none while queued.
    pub start_time: Option<Instant>,
    /// When it ended.
    pub end_time: Option<Instant>,
    /// When its owner, or who waits for it while it is queued, last gave a sign of life.
    pub heartbeat_at: Option<Instant>,
    /// Rows read from sources.
    pub records_read: i64,
    /// Summary rows computed.
    pub records_processed: i64,
    /// Why it failed.
    pub error_message: Option<String>,
    /// From start to end, in milliseconds.
    pub execution_time_ms: Option<i64>,
    /// What its checks found.
    pub data_quality_checks: Value,
    /// The steps that it has done so far: a list of [`StepRecord`].
    pub steps: Value,
    /// Whether it publishes nothing.
    pub dry_run: bool,
    /// The backfill that it is a piece of.
    pub parent_id: Option<Uuid>,
    /// Which days it computes, when it is a backfill itself.
    pub backfill_mode: Option<BackfillMode>,
    /// When it is tried again; none when it is not.
    pub retry_at: Option<Instant>,
}

/// A step of a run, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepRecord {
    /// For example `pull users`.
    pub name: String,
    /// When it began.
    pub started_at: Instant,
    /// When it ended; none while it goes on.
    pub ended_at: Option<Instant>,
    /// Rows that it read.
    pub rows_read: i64,
    /// Rows that it wrote.
    pub rows_written: i64,
    /// What else it has to say.
    pub detail: Value,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunOutcome {
    /// A final state.
    pub status: RunStatus,
    /// Rows read from sources.
    pub records_read: i64,
    /// Summary rows computed.
    pub records_processed: i64,
    /// Why it failed, or what is missing from a partial one.
    pub error_message: Option<String>,
    /// What its checks found.
    pub checks: Value,
    /// Every step that it did.
    pub steps: Vec<StepRecord>,
    /// Whether it failed for a cause that may go away by itself, so that it is worth another try.
    pub transient: bool,
}

/// The columns of a [`RunRow`].
macro_rules! run_columns {
    () => {
        "id, job_name, interval_start, interval_end, trigger, status, attempt, requested_at, start_time, end_time, \
         heartbeat_at, records_read, records_processed, error_message, execution_time_ms, data_quality_checks, steps, \
         dry_run, parent_id, backfill_mode, retry_at"
    };
}
pub(crate) use run_columns;

/// A run before its words are understood.
#[derive(sqlx::FromRow)]
pub(crate) struct RunRow {
    id: Uuid,
    job_name: String,
    interval_start: Instant,
    interval_end: Instant,
    trigger: String,
    status: String,
    attempt: i32,
    requested_at: Instant,
    start_time: Option<Instant>,
    end_time: Option<Instant>,
    heartbeat_at: Option<Instant>,
    records_read: i64,
    records_processed: i64,
    error_message: Option<String>,
    execution_time_ms: Option<i64>,
    data_quality_checks: Json<Value>,
    steps: Json<Value>,
    dry_run: bool,
    parent_id: Option<Uuid>,
    backfill_mode: Option<String>,
    retry_at: Option<Instant>,
}

impl TryFrom<RunRow> for Run {
    type Error = WarehouseError;

    fn try_from(row: RunRow) -> Result<Self, Self::Error> {
        let unread = |source: UnknownWord| WarehouseError::Ledger { run_id: row.id, source };
        Ok(Self {
            id: row.id,
            job: row.job_name.parse().map_err(unread)?,
            interval_start: row.interval_start,
            interval_end: row.interval_end,
            trigger: row.trigger.parse().map_err(unread)?,
            status: row.status.parse().map_err(unread)?,
            attempt: row.attempt,
            requested_at: row.requested_at,
            start_time: row.start_time,
            end_time: row.end_time,
            heartbeat_at: row.heartbeat_at,
            records_read: row.records_read,
            records_processed: row.records_processed,
            error_message: row.error_message,
            execution_time_ms: row.execution_time_ms,
            data_quality_checks: row.data_quality_checks.0,
            steps: row.steps.0,
            dry_run: row.dry_run,
            parent_id: row.parent_id,
            backfill_mode: row.backfill_mode.map(|mode| mode.parse().map_err(unread)).transpose()?,
            retry_at: row.retry_at,
        })
    }
}
