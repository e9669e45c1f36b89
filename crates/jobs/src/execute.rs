//! One run under its lease: heartbeat, cancellation, and an end in the ledger whatever happens.

use std::sync::Arc;
use std::time::Duration;

use kindred_model::{Job, RunStatus};
use kindred_warehouse::{Run, RunOutcome, RunRequest};
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{JobError, describe};
use crate::ledger::Ledger;
use crate::sweep::{clear, sweep};
use crate::turn::claim_in_turn;
use crate::{Platform, quality, run};

/// How often a run shows that it lives: often enough that a lost one is known within the warehouse's patience.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

/// Requests a run and carries it out in this process, as soon as no other run is under way.
///
/// # Errors
/// When a run of the job is under way already, or the run fails; then the ledger says so too.
pub async fn run_now(
    platform: &Arc<Platform>,
    request: &RunRequest,
    cancel: &CancellationToken,
) -> Result<Run, JobError> {
    if request.interval.start() > platform.clock.now() {
        return Err(JobError::Future(request.interval));
    }
    let run_id = platform.warehouse.request_attended(request).await?;
    in_turn(platform, run_id, cancel).await
}

/// Carries out a queued run when its turn has come, or waits for its end if another process is quicker.
pub(crate) async fn in_turn(
    platform: &Arc<Platform>,
    run_id: Uuid,
    cancel: &CancellationToken,
) -> Result<Run, JobError> {
    let owner = Uuid::new_v4();
    match claim_in_turn(platform, run_id, owner, cancel).await? {
        Some(run) => Box::pin(hold(platform, run, owner, cancel)).await,
        // A server's worker was quicker: the run is the same, and its end is worth the same.
        None => elsewhere(platform, run_id, cancel).await,
    }
}

/// Waits for a run that another process carries out.
async fn elsewhere(platform: &Platform, run_id: Uuid, cancel: &CancellationToken) -> Result<Run, JobError> {
    let forever = tokio::time::Instant::now() + Duration::from_secs(24 * 60 * 60);
    let run = tokio::select! {
        run = platform.warehouse.wait_until_final(run_id, forever) => run?,
        () = cancel.cancelled() => return Err(JobError::Cancelled),
    };
    if run.status.published() {
        return Ok(run);
    }
    Err(JobError::Elsewhere {
        status: run.status,
        message: run.error_message.unwrap_or_default(),
    })
}

/// Claims a requested run and carries it out. Returns it as it ended.
///
/// # Errors
/// When the run fails; the ledger says so too, and nothing is published. [`JobError::TakenUp`] when it is not to be had:
/// another process has it, or another run is under way.
pub async fn execute(platform: &Arc<Platform>, run_id: Uuid, cancel: &CancellationToken) -> Result<Run, JobError> {
    let owner = Uuid::new_v4();
    let claimed = platform.warehouse.claim(run_id, owner, platform.clock.now()).await?;
    hold(platform, claimed.ok_or(JobError::TakenUp)?, owner, cancel).await
}

/// Carries out a run that is the owner's, and sees that the ledger learns of its end.
async fn hold(platform: &Arc<Platform>, run: Run, owner: Uuid, cancel: &CancellationToken) -> Result<Run, JobError> {
    let (run_id, warehouse) = (run.id, &platform.warehouse);
    tracing::info!(%run_id, job = %run.job, from = %run.interval_start, to = %run.interval_end, "run begins");

    let ledger = Ledger::new(warehouse.clone(), platform.clock.clone(), run_id, owner);
    let work = async {
        // Of those that died while this process lived. Under the lease's heartbeat: a store may take its time.
        if let Err(error) = sweep(&platform.lake, warehouse).await {
            tracing::warn!(%run_id, error = describe(&error), "what dead runs have staged could not be removed");
        }
        Box::pin(run::run(platform, &run, owner, &ledger)).await
    };
    let ended = tokio::select! {
        ended = work => ended,
        lost = keep_lease(platform, run_id, owner) => Err(lost),
        () = sleep(deadline(run.job)) => Err(JobError::Deadline { after: deadline(run.job) }),
        () = cancel.cancelled() => Err(JobError::Cancelled),
    };
    if let Err(error) = ended
        && !give_up(platform, &run, owner, &ledger, &error).await
    {
        if !run.dry_run {
            let now = platform.clock.now();
            quality::record(platform, run_id, now, &quality::mistakes(&error, now)).await;
        }
        return Err(or_cancelled(platform, run_id, error).await);
    }
    let run = warehouse.run(run_id).await?.ok_or(JobError::LostLease)?;
    tracing::info!(%run_id, status = %run.status, rows = run.records_processed, "run ends");
    Ok(run)
}

/// How long a run of a job may take: longer than any sound one, shorter than would hold up the others for good. A run of
/// a backfill has a month of days to compute.
const fn deadline(job: Job) -> Duration {
    match job {
        Job::Daily | Job::Weekly => Duration::from_secs(4 * 60 * 60),
        Job::Hourly => Duration::from_secs(2 * 60 * 60),
        Job::Sessions => Duration::from_secs(60 * 60),
    }
}

/// The error, or that the run was cancelled from elsewhere: whoever does that takes its lease.
pub(crate) async fn or_cancelled(platform: &Platform, run_id: Uuid, error: JobError) -> JobError {
    match platform.warehouse.run(run_id).await {
        Ok(Some(run)) if run.status == RunStatus::Cancelled => JobError::Cancelled,
        _ => error,
    }
}

/// Ends only when the lease is lost: a warehouse that is away for a while is waited for, since the publication asks
/// for the lease again.
pub(crate) async fn keep_lease(platform: &Platform, run_id: Uuid, owner: Uuid) -> JobError {
    loop {
        sleep(HEARTBEAT).await;
        match platform.warehouse.heartbeat(run_id, owner, platform.clock.now()).await {
            Ok(true) => {}
            // A beat that waited for the publication finds the run ended, by ourselves.
            Ok(false) if is_published(platform, run_id).await => std::future::pending().await,
            Ok(false) => return JobError::LostLease,
            Err(error) => tracing::warn!(%run_id, error = describe(&error), "the heartbeat did not get through"),
        }
    }
}

async fn is_published(platform: &Platform, run_id: Uuid) -> bool {
    let status = platform.warehouse.run_status(run_id).await;
    matches!(status, Ok(Some(status)) if status.published())
}

/// Notes the failure and removes what was staged. What cannot be done now is done later, by the next start's sweep.
///
/// Answers whether the run was published all the same: the answer to its commit may have got lost, and not the commit.
async fn give_up(platform: &Platform, run: &Run, owner: Uuid, ledger: &Ledger, error: &JobError) -> bool {
    let message = describe(error);
    let status = if matches!(error, JobError::Cancelled) {
        RunStatus::Cancelled
    } else {
        RunStatus::Failed
    };
    clear(&platform.lake, run.id).await;
    let steps = ledger.steps();
    let outcome = RunOutcome {
        status,
        records_read: steps.iter().map(|step| step.rows_read).sum(),
        records_processed: 0,
        error_message: Some(message.clone()),
        checks: Value::Null,
        steps,
        transient: error.is_transient(),
    };
    // Waits for a commit that is still on its way.
    let noted = platform
        .warehouse
        .finish(run.id, owner, platform.clock.now(), outcome)
        .await;
    if matches!(noted, Ok(false)) && is_published(platform, run.id).await {
        tracing::warn!(run_id = %run.id, error = message, "the run is published, though its end was not heard of");
        return true;
    }
    tracing::error!(run_id = %run.id, %status, error = message, "run ends without publishing");
    if let Err(error) = noted {
        tracing::warn!(run_id = %run.id, error = describe(&error), "the ledger does not know yet that the run ended");
    }
    false
}
