//! The batches of one read, handed from ConnectorX's thread to an async caller.
//!
//! The channel between them is bounded, so that memory is too; a read that nobody wants any more is cancelled on the
//! server; and the end of the channel alone is not the end of the rows: the worker must have said that it finished.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::Stream;
use kindred_model::Fact;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Settings;
use super::connection::Exported;
use super::nulls::Nulls;
use super::worker::Read;
use crate::ExtractError;
use crate::contract::fact_schema;

/// The rows of one fact, as batches. Dropping it cancels the query on the server.
pub struct Rows {
    settings: Arc<Settings>,
    fact: Fact,
    schema: SchemaRef,
    batches: mpsc::Receiver<RecordBatch>,
    nulls: Arc<Mutex<Nulls>>,
    /// None once the rows have ended, well or not.
    worker: Option<JoinHandle<Result<(), ExtractError>>>,
    cancelled: CancellationToken,
    deadline: Instant,
}

impl Rows {
    pub(super) fn start(settings: Arc<Settings>, exported: Arc<Exported>, fact: Fact, sql: String) -> Self {
        let schema = fact_schema(fact);
        let (sender, batches) = mpsc::channel(settings.queue_batches);
        let cancelled = CancellationToken::new();
        let nulls = Arc::default();
        let deadline = Instant::now() + settings.deadline;
        let read = Read {
            settings: Arc::clone(&settings),
            exported,
            fact,
            schema: Arc::clone(&schema),
            sql,
            batches: sender,
            nulls: Arc::clone(&nulls),
            cancelled: cancelled.clone(),
        };
        Self {
            settings,
            fact,
            schema,
            batches,
            nulls,
            worker: Some(tokio::task::spawn_blocking(move || read.run())),
            cancelled,
            deadline,
        }
    }

    /// The schema of every batch: [`fact_schema`] of the fact.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next batch; none when all rows have been read. After an error there is nothing more.
    ///
    /// May be dropped and called again: no batch is lost.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, ExtractError>> {
        let worker = self.worker.as_mut()?;
        let receiving = async {
            match self.batches.recv().await {
                Some(batch) => Some(Ok(batch)),
                None => match worker.await {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(Err(error)),
                    Err(ended) => Some(Err(ExtractError::Failed {
                        database: self.settings.database,
                        what: format!("reading {}", self.fact),
                        reason: why_it_ended(ended),
                    })),
                },
            }
        };
        let received = timeout_at(self.deadline, receiving).await.unwrap_or_else(|_| {
            Some(Err(ExtractError::Deadline {
                database: self.settings.database,
                what: format!("reading {}", self.fact),
                allowed: self.settings.deadline,
            }))
        });
        if !matches!(received, Some(Ok(_))) {
            self.stop();
        }
        received
    }

    /// The rows that were set aside so far, for a null where none may be.
    #[must_use]
    pub fn nulls(&self) -> Nulls {
        self.nulls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The batches as a stream, which ends after its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<RecordBatch, ExtractError>> + Send {
        futures::stream::unfold(self, async |mut rows| rows.next().await.map(|batch| (batch, rows)))
    }

    /// Ends the read. A worker that is not done sees to it that the server stops, too; nobody waits for that.
    fn stop(&mut self) {
        self.worker = None;
        self.batches.close();
        self.cancelled.cancel();
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("fact", &self.fact).finish_non_exhaustive()
    }
}

/// Why a worker has no result: it panicked.
fn why_it_ended(ended: JoinError) -> String {
    match ended.try_into_panic() {
        Ok(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("the reader panicked: {}", said.unwrap_or("without a word"))
        }
        Err(ended) => ended.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_the_worker_is_told_in_its_own_words() {
        let words = tokio::task::spawn_blocking(|| panic!("no conversion for {}", "interval"));
        let word = tokio::task::spawn_blocking(|| panic!("unimplemented"));
        assert_eq!(
            why_it_ended(words.await.unwrap_err()),
            "the reader panicked: no conversion for interval"
        );
        assert_eq!(
            why_it_ended(word.await.unwrap_err()),
            "the reader panicked: unimplemented"
        );
    }
}
