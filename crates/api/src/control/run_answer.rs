//! A run of the ledger as it is answered.

use chrono::NaiveDate;
use kindred_model::BackfillMode;
use kindred_warehouse::{BackfillProgress, Run};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunAnswer {
    /// Its id.
    run_id: Uuid,
    /// Its job.
    job: &'static str,
    /// queued, running, completed, failed, partial, skipped or cancelled.
    status: &'static str,
    /// The first instant of its window.
    interval_start: Timestamp,
    /// The first instant after its window.
    interval_end: Timestamp,
    /// What asked for it: schedule, manual, backfill, catch_up or retry.
    trigger: &'static str,
    /// Which try it is, from 1.
    attempt: i32,
    /// Whether it only computes and checks, and publishes nothing.
    dry_run: bool,
    /// When it was asked for.
    requested_at: Timestamp,
    /// When it was taken up.
    start_time: Option<Timestamp>,
    /// When the process that does it last gave a sign of life.
    heartbeat_at: Option<Timestamp>,
    /// When it ended.
    end_time: Option<Timestamp>,
    /// When it is tried again by itself; null when it is not.
    retry_at: Option<Timestamp>,
    /// The backfill that it is a piece of; null for others.
    parent_run_id: Option<Uuid>,
    /// Which days a backfill computes: missing, failed or all; null for other runs.
    mode: Option<&'static str>,
    /// How far a backfill has come; null for other runs, and until it has chosen its days.
    progress: Option<Progress>,
    /// From start to end, in milliseconds.
    execution_time_ms: Option<i64>,
    /// Rows read from sources.
    records_read: i64,
    /// Summary rows computed.
    records_processed: i64,
    /// Why it failed, or what a partial one lacks.
    error_message: Option<String>,
    /// What its checks found.
    data_quality_checks: Value,
    /// The steps that it did; a backfill's are its plan and its pieces.
    steps: Value,
}

/// How far a backfill has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    /// Days to compute in all.
    days: u64,
    /// Days that are done.
    done: u64,
    /// The days that are computed now; null before the first piece and after the last.
    next: Option<Window>,
}

/// Days.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Days)]
struct Window {
    /// The first.
    from: NaiveDate,
    /// The day after the last.
    to: NaiveDate,
}

impl From<BackfillProgress> for Progress {
    fn from(progress: BackfillProgress) -> Self {
        Self {
            days: progress.days,
            done: progress.done,
            next: progress.next.map(|days| Window {
                from: days.from(),
                to: days.to(),
            }),
        }
    }
}

impl From<Run> for RunAnswer {
    fn from(run: Run) -> Self {
        Self {
            progress: run.progress().map(Progress::from),
            run_id: run.id,
            job: run.job.as_str(),
            status: run.status.as_str(),
            interval_start: run.interval_start.into(),
            interval_end: run.interval_end.into(),
            trigger: run.trigger.as_str(),
            attempt: run.attempt,
            dry_run: run.dry_run,
            requested_at: run.requested_at.into(),
            start_time: run.start_time.map(Timestamp),
            heartbeat_at: run.heartbeat_at.map(Timestamp),
            end_time: run.end_time.map(Timestamp),
            retry_at: run.retry_at.map(Timestamp),
            parent_run_id: run.parent_id,
            mode: run.backfill_mode.map(BackfillMode::as_str),
            execution_time_ms: run.execution_time_ms,
            records_read: run.records_read,
            records_processed: run.records_processed,
            error_message: run.error_message,
            data_quality_checks: run.data_quality_checks,
            steps: run.steps,
        }
    }
}
