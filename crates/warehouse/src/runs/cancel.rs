//! Stopping a run from outside: its owner learns of it by its next heartbeat, and publishes nothing.

use kindred_model::Instant;
use uuid::Uuid;

use crate::{Warehouse, WarehouseError};

/// Ends what of the ledger's rows is not over.
macro_rules! cancel_where {
    ($whom:literal) => {
        concat!(
            "update etl_job_runs
             set status = 'cancelled', end_time = $2, error_message = 'it was cancelled on request', retry_at = null,
                 execution_time_ms = (extract(epoch from greatest($2, start_time) - start_time) * 1000)::bigint
             where status in ('queued', 'running') and ",
            $whom,
            " = $1"
        )
    };
}

impl Warehouse {
    /// Ends a queued or running run as cancelled, and the queued or running piece of a backfill with it. False when it
    /// was over already. A run that is being published is waited for, and is over then.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn cancel(&self, run_id: Uuid, at: Instant) -> Result<bool, WarehouseError> {
        let doing = WarehouseError::query;
        let mut transaction = self.pool().begin().await.map_err(doing("begin to cancel a run"))?;
        // The backfill first: a piece is requested under a lock of its row, so that none is missed afterwards.
        let mut ended = [0, 0];
        for (rows, update) in ended.iter_mut().zip([cancel_where!("id"), cancel_where!("parent_id")]) {
            let update = sqlx::query(update).bind(run_id).bind(at);
            *rows = update
                .execute(&mut *transaction)
                .await
                .map_err(doing("cancel a run"))?
                .rows_affected();
        }
        transaction.commit().await.map_err(doing("commit a cancellation"))?;
        Ok(ended[0] == 1)
    }
}
