//! A run of the ledger as it is answered.

use kindred_warehouse::Run;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// A run.
#[derive(Debug, Serialize)]
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
    /// When it ended.
    end_time: Option<Timestamp>,
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
    /// The steps that it did.
    steps: Value,
}

impl From<Run> for RunAnswer {
    fn from(run: Run) -> Self {
        Self {
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
            end_time: run.end_time.map(Timestamp),
            execution_time_ms: run.execution_time_ms,
            records_read: run.records_read,
            records_processed: run.records_processed,
            error_message: run.error_message,
            data_quality_checks: run.data_quality_checks,
            steps: run.steps,
        }
    }
}
