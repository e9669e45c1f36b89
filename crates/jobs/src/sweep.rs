//! What dead runs have left in the lake's staging folder.

use std::time::Duration;

use kindred_lake::Lake;
use kindred_warehouse::Warehouse;
use tokio::time::timeout;
use uuid::Uuid;

use crate::error::{JobError, describe};

/// How long the end of a run may take to remove what is staged: less than its lease lasts, which nobody keeps any more.
const CLEARING: Duration = Duration::from_secs(20);

/// Removes what dead runs have staged. Listed before it is asked which runs live: one that begins meanwhile is not taken
/// for dead. Should such a run wake after all, it finds nothing to put into the lake.
///
/// # Errors
/// When the lake cannot be listed or written to, or the warehouse does not answer.
pub async fn sweep(lake: &Lake, warehouse: &Warehouse) -> Result<(), JobError> {
    let staged = lake.staged_runs().await?;
    let live = warehouse.live_runs().await?;
    for run_id in staged.into_iter().filter(|run_id| !live.contains(run_id)) {
        lake.discard(run_id).await?;
    }
    Ok(())
}

/// Removes what a run that has ended has staged and not published. What cannot be removed now is left to [`sweep`].
pub(crate) async fn clear(lake: &Lake, run_id: Uuid) {
    let left = match timeout(CLEARING, lake.discard(run_id)).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => describe(&error),
        Err(_) => format!("the lake {} took too long", lake.address()),
    };
    tracing::warn!(%run_id, error = left, "staged files were left behind");
}
