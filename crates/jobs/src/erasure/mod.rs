//! Erasing a person from the lake and the warehouse, for good.
//!
//! From the moment of the request, whatever is read of the sources is read without the person ([`Erased`]). The erasure
//! itself takes the place of the one run that may be under way: it rewrites every file that holds a key of the person,
//! removes the rows of the warehouse, swaps the files in, and looks at everything once more. Whoever is stopped on the way
//! is followed by a next try, which goes on.
//! Figures that were published stay as they are.

mod carry_out;
mod erased;
mod holders;
mod rewrite;
mod search;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use kindred_warehouse::Erasure;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Platform;
use crate::error::{JobError, describe};
use crate::execute::keep_lease;
use crate::ledger::Ledger;
use crate::sweep::{clear, sweep};

pub(crate) use erased::Erased;

/// Between two looks at whether it is our turn, or whether another process has done it.
const LOOK: Duration = Duration::from_millis(250);

/// How long an erasure may take: it reads every file that may hold a person.
const DEADLINE: Duration = Duration::from_secs(4 * 60 * 60);

/// When one that failed is tried again.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Asks for the erasure of a person, and returns when nothing is left of them: carried out in this process, or in
/// another that was quicker.
///
/// # Errors
/// When it fails here; it is then tried again by the next server's worker.
pub async fn erase_now(
    platform: &Arc<Platform>,
    user_key: i64,
    cancel: &CancellationToken,
) -> Result<Erasure, JobError> {
    platform
        .warehouse
        .request_erasure(user_key, platform.clock.now())
        .await?;
    loop {
        let erasure = platform.warehouse.erasure(user_key).await?;
        if let Some(erasure) = erasure.filter(|erasure| erasure.completed_at.is_some()) {
            return Ok(erasure);
        }
        take(platform, user_key, cancel).await?;
        tokio::select! {
            () = sleep(LOOK) => {}
            () = cancel.cancelled() => return Err(JobError::Cancelled),
        }
    }
}

/// Carries out the oldest erasure that was asked for, unless a run is under way. Whether there was one.
pub(crate) async fn take_one(platform: &Arc<Platform>, cancel: &CancellationToken) -> Result<bool, JobError> {
    match platform.warehouse.next_erasure(platform.clock.now()).await? {
        Some(user_key) => take(platform, user_key, cancel).await,
        None => Ok(false),
    }
}

/// Carries out an erasure, if it is our turn. Whether it was.
async fn take(platform: &Arc<Platform>, user_key: i64, cancel: &CancellationToken) -> Result<bool, JobError> {
    let (owner, warehouse) = (Uuid::new_v4(), &platform.warehouse);
    let Some(run_id) = warehouse.begin_erasure(user_key, owner, platform.clock.now()).await? else {
        return Ok(false);
    };
    tracing::info!(%run_id, user_key, "an erasure begins");
    let ledger = Ledger::new(warehouse.clone(), platform.clock.clone(), run_id, owner);
    let work = async {
        // What dead runs have staged holds rows of the person, too, and one that wakes must not find them.
        sweep(&platform.lake, warehouse).await?;
        carry_out::carry_out(platform, user_key, run_id, owner, &ledger).await
    };
    let ended = tokio::select! {
        ended = Box::pin(work) => ended,
        lost = keep_lease(platform, run_id, owner) => Err(lost),
        () = sleep(DEADLINE) => Err(JobError::Deadline { after: DEADLINE }),
        () = cancel.cancelled() => Err(JobError::Cancelled),
    };
    if let Err(error) = ended {
        give_up(platform, user_key, run_id, owner, &ledger, &error).await;
        return Err(error);
    }
    tracing::info!(%run_id, user_key, "an erasure is complete");
    Ok(true)
}

/// Removes what was staged and frees the place among the runs. What cannot be done now is done by the next start.
async fn give_up(platform: &Platform, user_key: i64, run_id: Uuid, owner: Uuid, ledger: &Ledger, error: &JobError) {
    let (now, message) = (platform.clock.now(), describe(error));
    tracing::error!(%run_id, user_key, error = message, "an erasure ends unfinished, and is tried again");
    clear(&platform.lake, run_id).await;
    let outcome = carry_out::outcome(ledger, Err(&message));
    let ended = platform.warehouse.finish(run_id, owner, now, outcome).await.map(drop);
    let retry_at = match error {
        // By whoever starts next.
        JobError::Cancelled => now,
        _ => now + RETRY_AFTER,
    };
    let deferred = platform.warehouse.defer_erasure(user_key, &message, retry_at).await;
    for error in [ended.err(), deferred.err()].into_iter().flatten() {
        tracing::warn!(%run_id, error = describe(&error), "the warehouse does not know yet that the erasure failed");
    }
}
