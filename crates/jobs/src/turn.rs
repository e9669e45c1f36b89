//! Waiting for one's turn: one run at a time, of whatever job and process, the oldest request first.

use std::sync::Arc;
use std::time::Duration;

use kindred_warehouse::Run;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Platform;
use crate::erasure;
use crate::error::{JobError, describe};
use crate::execute::HEARTBEAT;

/// Between two looks at whether it is our turn.
const LOOK: Duration = Duration::from_millis(250);

/// How long an older request may stay where it is while nothing runs, before we go first: nobody works on it then.
const GIVE_WAY: Duration = Duration::from_secs(2);

/// Claims a queued run when its turn has come. None when another process was quicker, or it was cancelled from elsewhere.
///
/// # Errors
/// When the warehouse does not answer; [`JobError::Cancelled`] when the wait is cancelled, and then the run is too.
pub(crate) async fn claim_in_turn(
    platform: &Arc<Platform>,
    run_id: Uuid,
    owner: Uuid,
    cancel: &CancellationToken,
) -> Result<Option<Run>, JobError> {
    let mut passed_over: Option<Instant> = None;
    let mut told = false;
    let mut attended = Instant::now();
    loop {
        // A person who is to be erased goes first, however many runs follow one another.
        if let Err(error) = Box::pin(erasure::take_one(platform, cancel)).await {
            tracing::debug!(%run_id, error = describe(&error), "an erasure was tried, and failed");
        }
        let first = platform.warehouse.next_queued().await?;
        let our_turn = match first {
            None => false,
            Some(first) if first == run_id => true,
            Some(_) => passed_over.get_or_insert_with(Instant::now).elapsed() > GIVE_WAY,
        };
        if first.is_none() {
            passed_over = None;
        }
        if our_turn && let Some(run) = platform.warehouse.claim(run_id, owner, platform.clock.now()).await? {
            return Ok(Some(run));
        }
        let run = platform.warehouse.run(run_id).await?;
        if run.is_none_or(|run| run.start_time.is_some() || run.status.is_final()) {
            return Ok(None);
        }
        // Should this process die, nobody waits for the run any more.
        if attended.elapsed() >= HEARTBEAT {
            platform.warehouse.attend(run_id, platform.clock.now()).await?;
            attended = Instant::now();
        }
        if !told {
            let running = platform.warehouse.live_runs().await?;
            tracing::info!(%run_id, ?running, "the run waits for its turn");
            told = true;
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = cancel.cancelled() => {
                give_up_place(platform, run_id).await;
                return Err(JobError::Cancelled);
            }
        }
    }
}

/// Takes back a request that nobody waits for any more.
async fn give_up_place(platform: &Platform, run_id: Uuid) {
    if let Err(error) = platform.warehouse.cancel(run_id, platform.clock.now()).await {
        tracing::warn!(%run_id, error = describe(&error), "the run stays queued: its request could not be taken back");
    }
}
