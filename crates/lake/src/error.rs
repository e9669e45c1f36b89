//! What can go wrong in the lake, in words for whoever operates it.

use std::path::PathBuf;

use crate::Fault;

/// A failure of the lake. Every message names the object and what to check.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// `LAKE_URL` names no store that is known.
    #[error("`{url}` is no lake address: use a path, file://, s3://, gs:// or az:// (LAKE_URL)")]
    Address {
        /// The address, without credentials.
        url: String,
        /// Why it was refused.
        #[source]
        source: Option<object_store::Error>,
    },
    /// The local folder cannot be made or entered.
    #[error("the lake folder {} cannot be used: check that it exists and may be written (LAKE_URL)", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The store did not answer as it should.
    #[error("the lake could not {action} {object}: {}", fault.advice(object))]
    Store {
        /// What was tried, as a verb.
        action: &'static str,
        /// The address of the object or folder.
        object: String,
        /// What it means.
        fault: Fault,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// A file could not be made durable or renamed.
    #[error("the lake could not {action} {}: check the disk's space and rights", path.display())]
    Disk {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A Parquet file could not be written or read.
    #[error("the lake could not {action} the Parquet file {object}: check the store's space and rights (LAKE_URL)")]
    Parquet {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file's address.
        object: String,
        /// What the Parquet library said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Rows could not be sorted, split or hashed.
    #[error("rows for the dataset {dataset} could not be arranged")]
    Arrange {
        /// The dataset.
        dataset: String,
        /// What Arrow said.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// A row came for a partition whose file was already closed.
    #[error("rows for the dataset {dataset} must come in order of their partition: {partition} came again")]
    OutOfOrder {
        /// The dataset.
        dataset: String,
        /// The partition that came again.
        partition: crate::Partition,
    },
    /// A row has no instant to be partitioned by.
    #[error("rows for the dataset {dataset} need a day: column {column} is missing, null or of another type")]
    NoDay {
        /// The dataset.
        dataset: String,
        /// The column.
        column: String,
    },
}

impl LakeError {
    /// Whether the lake's store, on another machine, is not there for us: it does not answer, does not let us in, or has no
    /// such bucket.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Store { fault, .. } if fault.is_unreachable())
    }
}
