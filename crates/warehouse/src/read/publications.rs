//! Hearing of publications as they are committed, by whatever process.

use sqlx::postgres::PgListener;

use crate::{Warehouse, WarehouseError};

/// The channel on which [`Warehouse::publish`] tells of itself.
pub(crate) const CHANNEL: &str = "kindred_published";

/// A connection that hears of publications.
#[derive(Debug)]
pub struct Publications(PgListener);

/// What was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// A run has published.
    Publication,
    /// The connection was lost and is there again: whatever was published meanwhile was not heard.
    Interruption,
}

impl Warehouse {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the warehouse does not answer.
    pub async fn publications(&self) -> Result<Publications, WarehouseError> {
        let failed = || WarehouseError::query("listen for publications");
        let mut listener = PgListener::connect_with(self.pool()).await.map_err(failed())?;
        // An interruption is told when it ends, so that what was published in it cannot be missed.
        listener.eager_reconnect(true);
        listener.listen(CHANNEL).await.map_err(failed())?;
        Ok(Publications(listener))
    }
}

impl Publications {
    /// Waits for the next publication or interruption.
    ///
    /// # Errors
    /// When the connection is lost and cannot be made again: listen anew.
    pub async fn next(&mut self) -> Result<Heard, WarehouseError> {
        match self.0.try_recv().await {
            Ok(Some(_)) => Ok(Heard::Publication),
            Ok(None) => Ok(Heard::Interruption),
            Err(error) => Err(WarehouseError::query("go on listening for publications")(error)),
        }
    }
}
