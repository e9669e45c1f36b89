//! Takes up the runs that the control API and others request.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::{JobError, describe};
use crate::{Platform, execute};

/// How long a requested run waits at most before it is taken up.
const LOOK: Duration = Duration::from_millis(250);

/// How long to wait when the warehouse does not answer.
const PAUSE: Duration = Duration::from_secs(2);

/// Carries out requested runs, oldest first, one after the other.
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

    /// Works until it is stopped; the run under way is then cancelled.
    pub async fn work(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.take_one(&stop).await {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK,
                Err(error) => {
                    tracing::warn!(error = describe(&error), "the worker cannot reach the ledger");
                    PAUSE
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Whether there was a run to carry out. How it ended stands in the ledger.
    async fn take_one(&self, stop: &CancellationToken) -> Result<bool, JobError> {
        let Some(run_id) = self.platform.warehouse.next_queued().await? else {
            return Ok(false);
        };
        match execute(&self.platform, run_id, stop).await {
            // A failed run is noted and logged where it failed.
            Ok(_) | Err(_) => Ok(true),
        }
    }
}
