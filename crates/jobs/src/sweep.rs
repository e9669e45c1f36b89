//! What dead runs have left in the lake's staging folder.

use kindred_lake::Lake;
use kindred_warehouse::Warehouse;

use crate::error::JobError;

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
