//! Walking over past days, oldest first, in pieces that can be resumed.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use kindred_model::{BackfillMode, DayWindow, Job, RunStatus, Trigger};
use kindred_warehouse::RunRequest;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Platform;
use crate::error::JobError;
use crate::execute::run_now;

/// Days in one run of a backfill: enough to share the cost of a run, few enough to lose little when it is stopped.
const DAYS_PER_RUN: u64 = 31;

/// How far a backfill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillProgress {
    /// Days to compute in all.
    pub days: u64,
    /// Days that are done.
    pub done: u64,
    /// The days that are computed next; `None` at the end.
    pub next: Option<DayWindow>,
}

/// What a backfill did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackfillReport {
    /// Its runs, in order.
    pub runs: Vec<Uuid>,
    /// Days computed.
    pub days: u64,
    /// Summary rows that they gave.
    pub rows: i64,
    /// Whether a run lacked an optional source.
    pub partial: bool,
}

/// Computes the days of a window. Stops at the first run that fails; those before it stay, and `missing` resumes.
///
/// # Errors
/// When the window reaches into the future, or a run fails.
pub async fn backfill(
    platform: &Arc<Platform>,
    job: Job,
    window: DayWindow,
    mode: BackfillMode,
    cancel: &CancellationToken,
    mut progress: impl FnMut(BackfillProgress),
) -> Result<BackfillReport, JobError> {
    let today = platform.clock.now().date_naive();
    if window.to() > today + Days::new(1) {
        return Err(JobError::Future(window.into()));
    }
    let chosen = choose(platform, job, window, mode).await?;
    let pieces: Vec<_> = DayWindow::covering(chosen)
        .into_iter()
        .flat_map(|part| part.chunks(DAYS_PER_RUN))
        .collect();
    let days = pieces.iter().map(|piece| piece.len()).sum();
    let mut report = BackfillReport::default();
    for piece in pieces {
        progress(BackfillProgress {
            days,
            done: report.days,
            next: Some(piece),
        });
        let at = platform.clock.now();
        let request = RunRequest {
            job,
            interval: piece.into(),
            trigger: Trigger::Backfill,
            dry_run: false,
            at,
        };
        let run = run_now(platform, &request, cancel).await?;
        report.runs.push(run.id);
        report.days += piece.len();
        report.rows += run.records_processed;
        report.partial |= run.status == RunStatus::Partial;
    }
    progress(BackfillProgress {
        days,
        done: report.days,
        next: None,
    });
    Ok(report)
}

async fn choose(
    platform: &Platform,
    job: Job,
    window: DayWindow,
    mode: BackfillMode,
) -> Result<BTreeSet<NaiveDate>, JobError> {
    Ok(match mode {
        BackfillMode::All => window.days().collect(),
        BackfillMode::Failed => platform.warehouse.failed_days(job, window).await?,
        BackfillMode::Missing => {
            let done = platform.warehouse.completed_days(job, window).await?;
            window.days().filter(|day| !done.contains(day)).collect()
        }
    })
}
