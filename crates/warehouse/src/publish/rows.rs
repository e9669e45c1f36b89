//! The rows of a change: held, or read from where they lie while they are written.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

/// Batches as they come.
pub type RowStream = BoxStream<'static, Result<RecordBatch, Box<dyn Error + Send + Sync>>>;

/// Rows that are too many to hold.
pub trait RowSource: Debug + Send + Sync {
    /// Reads them from the first one on, a batch at a time, all with the same columns.
    fn read(&self) -> RowStream;
}

/// The rows of a change.
#[derive(Debug, Clone)]
pub enum ChangeRows {
    /// In memory.
    Held(Vec<RecordBatch>),
    /// Elsewhere.
    Stored(Arc<dyn RowSource>),
}

impl ChangeRows {
    pub(super) fn read(&self) -> RowStream {
        match self {
            Self::Held(batches) => stream::iter(batches.clone().into_iter().map(Ok)).boxed(),
            Self::Stored(source) => source.read(),
        }
    }
}

impl From<Vec<RecordBatch>> for ChangeRows {
    fn from(batches: Vec<RecordBatch>) -> Self {
        Self::Held(batches)
    }
}
