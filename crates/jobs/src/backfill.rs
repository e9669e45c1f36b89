//! Walking over past days, oldest first, in pieces that can be resumed.
//!
//! A backfill is a row of the ledger that this process holds; each piece is a run of its own, which takes its turn among
//! the runs of other jobs. What the steps of the row say is how far it has come.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use kindred_model::{BackfillMode, DayWindow, Interval, Job, RunStatus};
use kindred_warehouse::{BackfillProgress, BackfillRequest, RequestError, Run, RunOutcome, piece_detail, plan_detail};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Platform;
use crate::error::{JobError, describe};
use crate::execute::{in_turn, keep_lease, or_cancelled};
use crate::ledger::{Done, Ledger};

/// Days in one run of a backfill: enough to share the cost of a run, few enough to lose little when it is stopped.
const DAYS_PER_RUN: u64 = 31;

/// How long another run of the job may stand in the way of a piece: longer than any but a backfill's own take.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Between two looks at whether it still does.
const LOOK: Duration = Duration::from_millis(500);

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
/// When the window reaches into the future, a backfill of the job is under way, or a run fails.
pub async fn backfill(
    platform: &Arc<Platform>,
    job: Job,
    window: DayWindow,
    mode: BackfillMode,
    cancel: &CancellationToken,
    progress: impl FnMut(BackfillProgress),
) -> Result<BackfillReport, JobError> {
    let at = platform.clock.now();
    if window.to() > at.date_naive() + Days::new(1) {
        return Err(JobError::Future(window.into()));
    }
    let owner = Uuid::new_v4();
    let request = BackfillRequest {
        job,
        window,
        mode,
        dry_run: false,
        at,
    };
    let row = platform.warehouse.begin_backfill(&request, owner).await?;
    hold(platform, row, owner, cancel, progress).await
}

/// Carries out a backfill that is the owner's, and sees that the ledger learns of its end.
pub(crate) async fn hold(
    platform: &Arc<Platform>,
    row: Run,
    owner: Uuid,
    cancel: &CancellationToken,
    progress: impl FnMut(BackfillProgress),
) -> Result<BackfillReport, JobError> {
    tracing::info!(run_id = %row.id, job = %row.job, from = %row.interval_start, to = %row.interval_end, "backfill begins");
    let ledger = Ledger::new(platform.warehouse.clone(), platform.clock.clone(), row.id, owner);
    let walk = Walk {
        platform,
        row: &row,
        owner,
        ledger: &ledger,
        // Its pieces end with it, however it ends.
        stop: cancel.child_token(),
    };
    let ended = walk.under_lease(progress).await;
    let ended = match ended {
        Err(JobError::LostLease) => Err(or_cancelled(platform, row.id, JobError::LostLease).await),
        ended => ended,
    };
    let (status, message) = match &ended {
        Ok(report) if report.partial => (
            RunStatus::Partial,
            Some("an optional source did not answer: see its runs".into()),
        ),
        Ok(_) => (RunStatus::Completed, None),
        Err(JobError::Cancelled) => (RunStatus::Cancelled, Some(JobError::Cancelled.to_string())),
        Err(error) => (RunStatus::Failed, Some(describe(error))),
    };
    tracing::info!(run_id = %row.id, %status, "backfill ends");
    let steps = ledger.steps();
    let outcome = RunOutcome {
        status,
        records_read: steps.iter().map(|step| step.rows_read).sum(),
        records_processed: steps.iter().map(|step| step.rows_written).sum(),
        error_message: message,
        checks: Value::Null,
        steps,
        transient: false,
    };
    let finished = platform.warehouse.finish(row.id, owner, platform.clock.now(), outcome);
    if let Err(error) = finished.await {
        tracing::warn!(run_id = %row.id, error = describe(&error), "the ledger does not know yet that the backfill ended");
    }
    ended
}

/// A backfill under way.
struct Walk<'a> {
    platform: &'a Arc<Platform>,
    row: &'a Run,
    owner: Uuid,
    ledger: &'a Ledger,
    stop: CancellationToken,
}

impl Walk<'_> {
    async fn under_lease(&self, progress: impl FnMut(BackfillProgress)) -> Result<BackfillReport, JobError> {
        let pieces = self.pieces(progress);
        tokio::pin!(pieces);
        tokio::select! {
            ended = &mut pieces => ended,
            lost = keep_lease(self.platform, self.row.id, self.owner) => {
                self.stop.cancel();
                // Waited for, so that the piece under way is ended and not left behind.
                let _ = pieces.await;
                Err(lost)
            }
        }
    }

    async fn pieces(&self, mut progress: impl FnMut(BackfillProgress)) -> Result<BackfillReport, JobError> {
        self.ledger.begin("plan").await?;
        let pieces: Vec<_> = DayWindow::covering(self.choose().await?)
            .into_iter()
            .flat_map(|part| part.chunks(DAYS_PER_RUN))
            .collect();
        let days = pieces.iter().map(|piece| piece.len()).sum();
        let plan = plan_detail(days, pieces.len());
        self.ledger
            .end(Done {
                detail: plan,
                ..Done::default()
            })
            .await?;

        let mut report = BackfillReport::default();
        for piece in pieces {
            progress(BackfillProgress {
                days,
                done: report.days,
                next: Some(piece),
            });
            self.ledger
                .begin_with(&piece.to_string(), piece_detail(piece, None))
                .await?;
            let run = self.piece(piece).await?;
            self.ledger
                .end(Done {
                    rows_read: run.records_read.unsigned_abs(),
                    rows_written: run.records_processed.unsigned_abs(),
                    detail: piece_detail(piece, Some(run.id)),
                })
                .await?;
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

    /// The days of the window to compute.
    async fn choose(&self) -> Result<BTreeSet<NaiveDate>, JobError> {
        let (warehouse, job) = (&self.platform.warehouse, self.row.job);
        let window = Interval::new(self.row.interval_start, self.row.interval_end)
            .expect("the ledger takes no empty interval")
            .days();
        Ok(match self.row.backfill_mode {
            Some(BackfillMode::All) | None => window.days().collect(),
            Some(BackfillMode::Failed) => warehouse.failed_days(job, window).await?,
            Some(BackfillMode::Missing) => {
                let done = warehouse.completed_days(job, window).await?;
                window.days().filter(|day| !done.contains(day)).collect()
            }
        })
    }

    /// Computes the days of one piece, in its turn.
    async fn piece(&self, piece: DayWindow) -> Result<Run, JobError> {
        let began = Instant::now();
        loop {
            let at = self.platform.clock.now();
            let requested = self.platform.warehouse.request_piece(self.row, self.owner, piece, at);
            match requested.await {
                Ok(Some(run_id)) => return in_turn(self.platform, run_id, &self.stop).await,
                Ok(None) => return Err(JobError::LostLease),
                Err(RequestError::AlreadyRunning { run_id, .. }) if began.elapsed() >= PATIENCE => {
                    let minutes = PATIENCE.as_secs() / 60;
                    return Err(JobError::InTheWay { run_id, minutes });
                }
                Err(RequestError::AlreadyRunning { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            tokio::select! {
                () = sleep(LOOK) => {}
                () = self.stop.cancelled() => return Err(JobError::Cancelled),
            }
        }
    }
}
