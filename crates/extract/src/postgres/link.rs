//! The connection of one read, on a thread that may block: its own runtime, its place in the snapshot, its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::connection::{Exported, connect};
use crate::ExtractError;
use crate::error::reason;

/// A cancellation can reach the server before the query that it is meant for: it is repeated after this long.
const CANCEL_AGAIN: Duration = Duration::from_millis(200);

/// After so many repetitions the server is taken for lost, and left to its statement timeout.
const CANCEL_TRIES: u32 = 25;

/// A connection and the runtime that drives it. Dropping it closes the connection.
pub(super) struct Link {
    pub(super) client: Client,
    runtime: Runtime,
    cancelled: CancellationToken,
}

impl Link {
    /// Connects and joins a snapshot.
    ///
    /// # Errors
    /// Those of connecting; `None` in place of one when `cancelled` came first.
    pub(super) fn open(
        settings: &Settings,
        exported: &Exported,
        what: &str,
        cancelled: CancellationToken,
    ) -> Result<Option<Arc<Self>>, ExtractError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ExtractError::Failed {
                database: settings.database,
                what: what.to_owned(),
                reason: error.to_string(),
            })?;
        let joining = async {
            let client = connect(settings).await?;
            let join = format!("{}; set transaction snapshot '{}'", settings.begin(), exported.id);
            client
                .batch_execute(&join)
                .await
                .map_err(|error| settings.query_failed(what, &error))?;
            Ok(client)
        };
        let joined = runtime.block_on(cancelled.run_until_cancelled(joining)).transpose()?;
        let link = |client| Self {
            client,
            runtime,
            cancelled,
        };
        Ok(joined.map(link).map(Arc::new))
    }

    /// Waits for `work` on the connection, but not longer than somebody wants it.
    pub(super) fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(self.cancelled.run_until_cancelled(work))
    }

    /// Stops the query that the connection runs, and waits until the server has.
    pub(super) fn stop(&self, settings: &Settings) {
        let stopping = async {
            let token = self.client.cancel_token();
            for _ in 0..CANCEL_TRIES {
                if let Err(error) = token.cancel_query(settings.address.tls.clone()).await {
                    tracing::debug!("a cancellation did not reach the server: {}", reason(&error));
                }
                // Answered when the query before it has ended.
                if timeout(CANCEL_AGAIN, self.client.batch_execute("rollback"))
                    .await
                    .is_ok()
                {
                    return;
                }
            }
            tracing::warn!(source = %settings.database, "a query that nobody reads is left to its timeout");
        };
        self.runtime.block_on(stopping);
    }
}
