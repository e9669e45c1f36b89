//! How many rows files have, so that a join holds the smaller of its sides.
//!
//! Footers are kept, and a plan opens its files one after the other, each when it has nothing else to do: those that are
//! looked at here, several at a time, it does not wait for.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::parquet::file::metadata::PageIndexPolicy;
use futures::future::ready;
use futures::{StreamExt, TryStreamExt, stream};
use kindred_lake::PartitionFile;
use object_store::ObjectStore;

/// Bytes at the end of a file that are read at first: they hold the footer of all but the largest, which two requests
/// would find out otherwise.
pub(crate) const FOOTER_BYTES: usize = 64 << 10;

/// Footers that are looked at, at most: files of one dataset are alike, and a quarter of hours has thousands of them.
const LOOKED_AT: usize = 512;

/// Footers that are asked for at the same time.
const AT_ONCE: usize = 16;

/// An estimate for these files: the sizes of all of them, and how many rows a byte holds in some.
pub(crate) async fn estimated_rows(
    files: &[PartitionFile],
    store: &Arc<dyn ObjectStore>,
    cache: &Arc<FileMetadataCache>,
) -> Result<Precision<usize>> {
    let looked_at = files.iter().step_by(files.len().div_ceil(LOOKED_AT).max(1));
    let counted: Vec<_> = looked_at
        .map(|file| rows_and_bytes(file, store.as_ref(), cache))
        .collect();
    let sum = |(rows, bytes): (u64, u64), (more, size)| ready(Ok((rows + more, bytes + size)));
    let (rows, bytes) = stream::iter(counted)
        .buffer_unordered(AT_ONCE)
        .try_fold((0, 0), sum)
        .await?;
    let all: u64 = files.iter().map(|file| file.meta.size).sum();
    let estimate = u128::from(rows) * u128::from(all) / u128::from(bytes.max(1));
    Ok(usize::try_from(estimate).map_or(Precision::Absent, Precision::Inexact))
}

async fn rows_and_bytes(
    file: &PartitionFile,
    store: &dyn ObjectStore,
    cache: &Arc<FileMetadataCache>,
) -> Result<(u64, u64)> {
    let footer = DFParquetMetadata::new(store, &file.meta)
        .with_file_metadata_cache(Some(Arc::clone(cache)))
        .with_metadata_size_hint(Some(FOOTER_BYTES))
        .with_page_index_policy(Some(PageIndexPolicy::Skip))
        .fetch_metadata()
        .await?;
    let rows = u64::try_from(footer.file_metadata().num_rows()).unwrap_or_default();
    Ok((rows, file.meta.size))
}
