//! Takes up the runs that the control API and others request.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::error::{JobError, describe};
use crate::{Platform, backfill, erasure, execute};

/// How long a requested run waits at most before it is taken up, once it is its turn.
const LOOK: Duration = Duration::from_millis(250);

/// How long to wait when the warehouse does not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// Carries out requested runs, oldest first, one after the other, the backfills whose runs they may be, and erasures.
#[derive(Debug, Clone)]
pub struct Worker {
    platform: Arc<Platform>,
}

impl Worker {
    /// A worker on this platform.
    #[must_use]
    pub const fn new(platform: Arc<Platform>) -> Self {
        Self { platform }
    }

    /// Works until it is stopped; what is under way is then cancelled.
    pub async fn work(&self, stop: CancellationToken) {
        tokio::join!(self.work_on_runs(&stop), self.work_on_backfills(&stop));
    }

    async fn work_on_runs(&self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.take_one(stop).await {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK,
                Err(error) => {
                    tracing::warn!(error = describe(&error), "the worker cannot reach the ledger");
                    PAUSE
                }
            };
            wait(pause, stop).await;
        }
    }

    /// Each job's backfill is a task, which mostly waits: for the turn of its piece among all runs, and for its end.
    async fn work_on_backfills(&self, stop: &CancellationToken) {
        let mut under_way = JoinSet::new();
        while !stop.is_cancelled() {
            let pause = match self.take_backfill(&mut under_way, stop).await {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK,
                Err(error) => {
                    tracing::warn!(error = describe(&error), "the worker cannot look for backfills");
                    PAUSE
                }
            };
            while under_way.try_join_next().is_some() {}
            wait(pause, stop).await;
        }
        while under_way.join_next().await.is_some() {}
    }

    /// Whether there was a backfill to begin. How it ends will stand in the ledger.
    async fn take_backfill(&self, under_way: &mut JoinSet<()>, stop: &CancellationToken) -> Result<bool, JobError> {
        let warehouse = &self.platform.warehouse;
        let Some(run_id) = warehouse.next_backfill().await? else {
            return Ok(false);
        };
        let owner = Uuid::new_v4();
        if let Some(row) = warehouse.claim(run_id, owner, self.platform.clock.now()).await? {
            let (platform, stop) = (Arc::clone(&self.platform), stop.clone());
            under_way.spawn(async move {
                let ended = Box::pin(backfill::hold(&platform, row, owner, &stop, |_| {})).await;
                if let Err(error) = ended {
                    tracing::error!(%run_id, error = describe(&error), "the backfill ends before its last day");
                }
            });
        }
        Ok(true)
    }

    /// Whether there was a person to erase or a run to carry out. How it ended stands in the ledger.
    async fn take_one(&self, stop: &CancellationToken) -> Result<bool, JobError> {
        // Before any run. One that fails is noted and logged where it failed, and tried again later.
        if matches!(erasure::take_one(&self.platform, stop).await, Ok(true)) {
            return Ok(true);
        }
        let Some(run_id) = self.platform.warehouse.next_queued().await? else {
            return Ok(false);
        };
        match execute(&self.platform, run_id, stop).await {
            Err(JobError::TakenUp) => Ok(false),
            // A failed run is noted and logged where it failed.
            Ok(_) | Err(_) => Ok(true),
        }
    }
}

async fn wait(pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}
