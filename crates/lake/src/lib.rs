//! The lake: Parquet partitions over an object store, a local folder by default.
//!
//! One partition of a dataset is one UTC day, or hour, and one file, and is replaced whole. A run stages its new files apart
//! from their places ([`Stage`]) and swaps them in at once when the warehouse has taken the rest of its results
//! ([`Lake::swap`]); until then no reader sees them. Readers plan over a [`Snapshot`] of explicit files, through a
//! [`PinnedStore`] that refuses a file which was replaced underneath.
//!
//! This crate knows no fact and no metric: schemas, sort orders and dates come with the rows.

mod content_hash;
mod error;
mod fault;
mod kept_files;
mod layout;
mod local_listing;
mod partition;
mod pinned_store;
mod place;
mod snapshot;
mod split;
mod stage;
mod store;
mod swap;
mod writer;

pub use content_hash::ContentHash;
pub use error::LakeError;
pub use fault::Fault;
pub use layout::{Area, Dataset};
pub use partition::Partition;
pub use pinned_store::PinnedStore;
pub use snapshot::{PartitionFile, Snapshot};
pub use split::{split_by_day, split_by_partition};
pub use stage::{Stage, StagedPartition};
pub use store::Lake;
pub use writer::{FileStamp, read_content_hash};

/// A run's id, as in `etl_job_runs`.
pub type RunId = uuid::Uuid;
